"""What a container is run with: as fields, as a `docker run` line, as the engine's own settings. Pure."""
