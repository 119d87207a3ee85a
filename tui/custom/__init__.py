"""Commands of the user's own, from the configuration."""
