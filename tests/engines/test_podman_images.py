"""Images on a real Podman, and a registry on loopback that it knows as insecure."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backends.abilities.images import Archives, History, PruneImages, Pull, Push, Registries, Search, Tags
from backends.base import ActionError
from backends.progress import Progress
from tests.engines.docker_backend import connected, image
from tests.engines.podman_engine import PrivatePodman
from tests.engines.registry_engine import PASSWORD, USER, PrivateRegistry, registry_missing
from tests.engines.require import need

pytestmark = pytest.mark.podman


class Told:
    def __init__(self) -> None:
        self.all: list[Progress] = []

    def progress(self, progress: Progress) -> None:
        self.all.append(progress)

    def line(self, text: str) -> None:
        del text


@contextmanager
def registry_of(podman: PrivatePodman, *, login: bool = False) -> Iterator[PrivateRegistry]:
    """A registry where this Podman takes one without TLS."""
    reason = registry_missing()
    need(not reason, reason)
    folder = Path(tempfile.mkdtemp(prefix="br-", dir="/tmp"))
    registry = PrivateRegistry(folder, login=login, port=podman.registry_port)
    try:
        registry.start()
        yield registry
    finally:
        registry.stop()
        shutil.rmtree(registry.directory, ignore_errors=True)


@pytest.fixture
def registry_here(podman_engine: PrivatePodman) -> Iterator[PrivateRegistry]:
    with registry_of(podman_engine) as registry:
        yield registry


async def test_a_login_of_the_docker_cli_serves_podman_too(podman, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "absent.json"))
    config = tmp_path / "config.json"
    config.write_text("{}")
    podman.ensure_image("travelling", content="travelling")
    with registry_of(podman, login=True) as registry:
        name = f"{registry.host}/private/app:1"
        podman.client.tag("docker.io/library/travelling:latest", f"{registry.host}/private/app", "1")
        async with connected(podman.url, "podman") as backend:
            push = backend.ability(Push)
            with pytest.raises(ActionError, match=f"to log in: podman login {registry.host}"):
                await push.push(name, Told())
            auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            config.write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))
            await push.push(name, Told())
            assert (await backend.ability(Registries).repositories(registry.host)).names == ("private/app",)
            assert (await backend.ability(Pull).pull(name, Told())) is not None


async def test_images_go_to_a_registry_and_a_tar_file_and_back(podman, registry_here, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "config.json"))
    name = f"{registry_here.host}/team/app:1"
    identity = podman.ensure_image("travelling", content="travelling")
    async with connected(podman.url, "podman") as backend:
        found = await image(backend, "docker.io/library/travelling:latest")
        tags = backend.ability(Tags)
        await tags.tag(found.ref, name)
        told = Told()
        await backend.ability(Push).push(name, told)
        registries = backend.ability(Registries)
        assert (await registries.repositories(registry_here.host)).names == ("team/app",)
        assert (await registries.tags(registry_here.host, "team/app")).names == ("1",)
        await tags.untag(found.ref, name)
        await tags.untag(found.ref, "docker.io/library/travelling:latest")
        assert found.ref.id not in {f"sha256:{entry['Id'].removeprefix('sha256:')}" for entry in podman.client.images()}
        told = Told()
        await backend.ability(Pull).pull(name, told)
        assert told.all
        assert told.all[-1].parts
        found = await image(backend, name)
        assert found.ref.id.endswith(identity.removeprefix("sha256:"))
        file = tmp_path / "app.tar"
        archives = backend.ability(Archives)
        await archives.save([name], str(file), found.size, Told(), overwrite=False)
        assert file.stat().st_size > 500_000
        unused = next(entry for entry in await backend.ability(PruneImages).unneeded() if entry.ref == found.ref)
        await backend.ability(PruneImages).remove(unused)
        assert name in await archives.load(str(file), Told())
        assert (await backend.ability(History).history(found.ref))[-1].size > 500_000
        with pytest.raises(ActionError, match="manifest unknown"):
            await backend.ability(Pull).pull(f"{registry_here.host}/team/none:1", Told())
        assert await backend.ability(Search).search("nginx") == ()
