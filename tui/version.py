"""The version, apart from everything heavy so that `boxtop --version` starts nothing."""

__version__ = "0.1.0"
