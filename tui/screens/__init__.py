"""Screens: the main one, and the help."""
