"""Simulated engines: believable, moving data without any engine. Never proof of how a real one behaves."""
