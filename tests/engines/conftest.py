"""Fixtures of the real engines, each from its own module."""

from tests.engines.docker_engine import docker, docker_engine

__all__ = ["docker", "docker_engine"]
