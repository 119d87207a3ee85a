"""Engines behind one interface: what they list, how they are watched, what they can do."""
