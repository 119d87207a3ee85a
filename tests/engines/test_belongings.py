"""Volumes and networks on real engines: made, joined, measured, refused while used, removed; and told of by events."""

from __future__ import annotations

import asyncio
import itertools
import os

import pytest

from backends.abilities.belongings import Networks, NetworkSpec, Sizes, Volumes, VolumeSpec
from backends.abilities.events import Events
from backends.base import ActionError
from backends.docker.backend import DockerBackend
from backends.model import Action, ActionOptions, Kind, Network, Ref, Subnet, Volume, network_users, volume_users
from tests.engines.docker_backend import Following, connected, container, eventually
from tests.engines.docker_engine import PrivateDocker
from tests.engines.podman_engine import PrivatePodman

Engine = PrivateDocker | PrivatePodman
NOTHING_CHOSEN = ActionOptions()
_SUBNETS = itertools.count()


def subnet() -> str:
    """One that no other engine on this machine has, as bridges of all of them are in one kernel."""
    return f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 240 + next(_SUBNETS)}"


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("newer_docker", marks=pytest.mark.docker),
        pytest.param("podman", marks=pytest.mark.podman),
    ]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


async def volume(backend: DockerBackend, name: str) -> Volume | None:
    found = (await backend.list_all()).volumes
    assert found is not None
    return next((item for item in found if item.name == name), None)


async def network(backend: DockerBackend, ref: Ref) -> Network | None:
    found = (await backend.list_all()).networks
    assert found is not None
    return next((item for item in found if item.ref == ref), None)


async def test_a_volume_lives_and_goes_only_unused(engine: Engine) -> None:
    async with connected(engine.url) as backend:
        volumes = backend.ability(Volumes)
        assert volumes is not None
        assert "local" in (await volumes.drivers()).volume
        ref = await volumes.create(VolumeSpec("data", labels=(("team", "shop"),)))
        with pytest.raises(ActionError, match="already"):
            await volumes.create(VolumeSpec("data"))
        nameless = await volumes.create(VolumeSpec())
        made, other = await volume(backend, "data"), await volume(backend, nameless.id)
        assert made is not None
        assert other is not None
        assert (made.ref, made.driver, made.labels, made.anonymous) == (ref, "local", (("team", "shop"),), False)
        assert (other.anonymous, made.mountpoint.endswith("data/_data")) == (True, True)
        assert (await backend.inspect(ref))["Name"] == "data"

        user = engine.create("user", host={"binds": ["data:/data"]})
        containers = (await backend.list_all()).containers
        assert volume_users(containers)[("docker", "data")] == ("user",)
        for refused in (backend.losses(Action.DELETE, ref), backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)):
            with pytest.raises(ActionError, match=r"used by user \(created\): delete the container first"):
                await refused
        engine.remove(user)
        assert [loss.text for loss in await backend.losses(Action.DELETE, ref)] == ["all files in it"]
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert (await backend.list_some([ref])).removed == (ref,)
        with pytest.raises(ActionError, match="gone"):
            await backend.inspect(ref)
        with pytest.raises(ActionError, match="gone"):
            await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)


async def test_a_network_is_joined_and_left_and_goes_only_unused(engine: Engine) -> None:
    front, back = subnet(), subnet()
    async with connected(engine.url) as backend:
        networks = backend.ability(Networks)
        assert networks is not None
        spec = NetworkSpec("front", subnet=f"{front}.0/24", gateway=f"{front}.1", labels=(("team", "shop"),))
        ref = await networks.create(spec)
        inner = await networks.create(NetworkSpec("back", subnet=f"{back}.0/24", internal=True))
        with pytest.raises(ActionError, match="already"):
            await networks.create(spec)
        made = await network(backend, ref)
        assert made is not None
        assert made.subnets == (Subnet(f"{front}.0/24", f"{front}.1"),)
        assert (made.labels, made.internal, made.builtin) == ((("team", "shop"),), False, False)
        assert (await backend.inspect(inner))["Internal"] is True

        engine.run("web", host={"network_mode": "front"})
        web = await container(backend, "web")
        await networks.connect(inner, web.ref, ("api", "api-1"), f"{back}.77")
        snapshot = await backend.list_all()
        assert network_users(snapshot.containers)[("docker", "back")] == (("web", f"{back}.77"),)
        joined = engine.client.inspect_container(web.ref.id)["NetworkSettings"]["Networks"]["back"]
        assert {"api", "api-1"} <= set(joined["Aliases"])
        with pytest.raises(ActionError, match=r"used by web \(running\): disconnect it first"):
            await backend.perform(Action.DELETE, inner, NOTHING_CHOSEN)
        await networks.disconnect(inner, web.ref)
        assert dict((await container(backend, "web")).networks).keys() == {"front"}
        assert await backend.losses(Action.DELETE, inner) == ()
        await backend.perform(Action.DELETE, inner, NOTHING_CHOSEN)
        assert await network(backend, inner) is None
        engine.remove(web.ref.id)


@pytest.mark.docker
async def test_a_network_of_a_stopped_container_goes_with_a_warning(docker: PrivateDocker) -> None:
    async with connected(docker.url) as backend:
        networks = backend.ability(Networks)
        assert networks is not None
        ref = await networks.create(NetworkSpec("front", subnet=f"{subnet()}.0/24"))
        docker.create("sleeper", host={"network_mode": "front"})
        lost = await backend.losses(Action.DELETE, ref)
        assert [loss.text for loss in lost] == ["sleeper (created) is to join it and does not start without it"]
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert await network(backend, ref) is None


async def test_what_the_engine_made_is_known_as_such(engine: Engine) -> None:
    async with connected(engine.url) as backend:
        found = (await backend.list_all()).networks
        assert found
        assert all(item.builtin for item in found)
        assert {item.name for item in found} <= {"host", "none", "bridge", "podman"}


async def test_sizes_are_counted(engine: Engine) -> None:
    script = "dd if=/dev/zero of=/data/file bs=1024 count=2048 && dd if=/dev/zero of=/own bs=1024 count=1024"
    identity = engine.run("writer", ["sh", "-c", script], host={"binds": ["data:/data"]})
    async with connected(engine.url) as backend:
        sizes = backend.ability(Sizes)
        assert sizes is not None

        async def ended() -> bool:
            return engine.state(identity) == "exited"

        await eventually(ended, "the writer to end")
        found = await sizes.volumes()
        assert found[Ref("docker", Kind.VOLUME, "data")] == pytest.approx(2 << 20, rel=0.02)
        stopped = await sizes.stopped_containers()
        assert stopped[Ref("docker", Kind.CONTAINER, identity)] == pytest.approx(1 << 20, rel=0.02)


async def test_events_tell_of_volumes_and_networks_and_are_kept(engine: Engine) -> None:
    podman = isinstance(engine, PrivatePodman)
    async with connected(engine.url) as backend, Following(backend) as following:
        volumes, networks, events = backend.ability(Volumes), backend.ability(Networks), backend.ability(Events)
        assert volumes is not None
        assert networks is not None
        assert events is not None
        seen: list[Ref] = []

        async def standing() -> bool:
            # Until the stream stands what is made may pass unseen
            seen.append(await volumes.create(VolumeSpec(f"early-{len(seen)}")))
            await asyncio.sleep(0.1)
            return bool(following.seen & set(seen))

        await eventually(standing, "the event of a volume")
        wanted = {await volumes.create(VolumeSpec("told"))}
        if not podman:  # which tells no making of networks
            wanted.add(await networks.create(NetworkSpec("told", subnet=f"{subnet()}.0/24")))

        async def named() -> bool:
            return wanted <= following.seen

        await eventually(named, "the events of what was made")
        await backend.perform(Action.DELETE, Ref("docker", Kind.VOLUME, "told"), NOTHING_CHOSEN)

        async def kept() -> bool:
            told = {(event.type, event.name, event.action) for _, event in events.ring.read()[0]}
            gone = ("volume", "told", "remove" if podman else "destroy")
            return {("volume", "told", "create"), gone, ("boxtop", "docker", "listening")} <= told

        await eventually(kept, "the events to be kept")


@pytest.mark.docker
async def test_what_is_executed_is_kept_apart_from_what_matters(docker: PrivateDocker) -> None:
    identity = docker.run("busy")
    async with connected(docker.url) as backend, Following(backend):
        events = backend.ability(Events)
        assert events is not None

        async def told() -> bool:
            await asyncio.to_thread(_execute, docker, identity)
            return any(event.action == "exec_start" for _, event in events.ring.read(chatter=True)[0])

        await eventually(told, "a command to be told of")
        assert not any(event.chatter for _, event in events.ring.read()[0])
        command = next(event for _, event in events.ring.read(chatter=True)[0] if event.action == "exec_start")
        assert dict(command.attributes)["command"] == "true --loud"


def _execute(engine: PrivateDocker, container: str) -> None:
    started = engine.client.exec_create(container, ["true", "--loud"])
    engine.client.exec_start(started["Id"])
