"""Fixtures of the real engines, for tests of the whole program."""

from tests.engines.conftest import (
    docker,
    docker_engine,
    libvirt,
    libvirt_engine,
    podman,
    podman_engine,
    virtualbox,
    virtualbox_engine,
)

__all__ = [
    "docker",
    "docker_engine",
    "libvirt",
    "libvirt_engine",
    "podman",
    "podman_engine",
    "virtualbox",
    "virtualbox_engine",
]
