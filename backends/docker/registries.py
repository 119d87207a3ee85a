"""Private registries beside an engine: which there are, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends import references
from backends.abilities.images import Names, Registries
from backends.base import ActionError
from backends.distribution import Distribution, NeedsLogin
from backends.docker.client import Connection
from backends.logins import hosts_with_login, login_for
from backends.references import HUB
from backends.text import clean
from backends.threads import in_thread
from backends.trust import Trust, is_insecure

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend


class DockerRegistries(Registries):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def known(self) -> tuple[str, ...]:
        return await self._backend.ask(_known)

    async def repositories(self, host: str) -> Names:
        return await self._talk(host, lambda registry: registry.repositories())

    async def tags(self, host: str, repository: str) -> Names:
        return await self._talk(host, lambda registry: registry.tags(repository))

    async def _talk(self, host: str, question: Callable[[Distribution], Names]) -> Names:
        if not references.valid_host(host):
            raise ActionError(f"{clean(host, 100)!r} is no registry: name a host, or host:port")
        connection = self._backend.connected()
        info = await self._backend.ask(lambda connection: connection.asking.info())
        podman = connection.podman
        trust = _trust(host, info, podman=podman)
        open_now: list[Distribution] = []

        def work() -> Names:
            login = login_for(host, podman=podman)
            registry = Distribution(host, login, trust)
            open_now.append(registry)
            try:
                return question(registry)
            except NeedsLogin as error:
                program = "podman" if podman else "docker"
                raise ActionError(f"{host}: {error}; to log in: {program} login {host}") from None
            finally:
                registry.close()

        def end() -> None:
            for registry in open_now:
                registry.close()

        return await in_thread(work, end, "registry")


def _trust(host: str, info: Mapping[str, Any], *, podman: bool) -> Trust:
    """As the engine's settings have it (`RegistryConfig` of `GET /info`)."""
    config = info.get("RegistryConfig") or {}
    indexes = config.get("IndexConfigs") or {}
    names = [str(name) for name, index in indexes.items() if isinstance(index, Mapping) and not index.get("Secure")]
    networks = [str(network) for network in config.get("InsecureRegistryCIDRs") or ()]
    home = Path(os.environ.get("HOME", "") or Path.home())
    places = [Path("/etc/docker/certs.d"), home / ".config/docker/certs.d"]
    if podman:
        places = [Path("/etc/containers/certs.d"), home / ".config/containers/certs.d", *places]
    return Trust(is_insecure(host, names, networks), tuple(place / host for place in places))


def _known(connection: Connection) -> tuple[str, ...]:
    found = hosts_with_login(podman=connection.podman)
    for image in connection.asking.images():
        for name in (*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())):
            host, slash, _ = str(name).partition("/")
            if slash and references.is_host(host):
                found.add(host)
    config = connection.asking.info().get("RegistryConfig") or {}
    found |= {str(name) for name in config.get("IndexConfigs") or {}}
    # Docker Hub has no list of its repositories, and `localhost` is Podman's word for no registry
    return tuple(sorted(clean(host, 200) for host in found if references.valid_host(host) and host not in _UNLISTED))


_UNLISTED = {HUB, "localhost", ""}
