"""Fixtures of the real engines, each from its own module."""

from tests.engines.docker_engine import docker, docker_engine
from tests.engines.libvirt_engine import libvirt, libvirt_engine
from tests.engines.newer_docker import newer_docker, newer_docker_engine
from tests.engines.podman_engine import podman, podman_engine
from tests.engines.registry_engine import locked_registry, registry
from tests.engines.virtualbox_engine import virtualbox, virtualbox_engine

__all__ = [
    "docker",
    "docker_engine",
    "libvirt",
    "libvirt_engine",
    "locked_registry",
    "newer_docker",
    "newer_docker_engine",
    "podman",
    "podman_engine",
    "registry",
    "virtualbox",
    "virtualbox_engine",
]
