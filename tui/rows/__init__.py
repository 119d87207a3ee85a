"""Rows from objects: pure functions, one table of fields for each list."""
