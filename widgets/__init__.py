"""Widgets that draw plain data: they know Textual and no engine."""
