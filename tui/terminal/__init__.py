"""The user's own terminal in other hands, with boxtop's screen suspended meanwhile."""
