"""Podman's service for the Docker API, against a private one."""

from __future__ import annotations

import asyncio
import time

import pytest

from backends.base import ActionError, EngineError
from backends.docker.backend import DockerBackend
from backends.model import Action, ActionOptions, Kind, Ref, State
from tests.engines.docker_backend import Following, connected, container, container_ref, eventually, loaded
from tests.engines.docker_engine import BUSY, QUOTA, wait_until
from tests.engines.podman_engine import PrivatePodman

pytestmark = pytest.mark.podman
NOTHING_CHOSEN = ActionOptions()


async def test_it_says_it_is_podman(podman: PrivatePodman) -> None:
    backend = DockerBackend("podman", podman.url)
    info = await backend.connect()
    await backend.close()
    assert info.product == "podman"
    assert info.version == podman.client.version()["Version"]
    assert info.usage_of_all


async def test_states_are_listed_right(podman: PrivatePodman) -> None:
    podman.run("running")
    exited = podman.run("exited", ["sh", "-c", "exit 3"])
    podman.client.pause(podman.run("paused"))
    podman.create("created")
    wait_until(lambda: podman.state(exited) == "exited", "its exit")
    async with connected(podman.url, "podman") as backend:
        snapshot = await backend.list_all()
        found = {box.name: box for box in snapshot.containers}
    assert {name: box.state for name, box in found.items()} == {
        "running": State.RUNNING,
        "exited": State.EXITED,
        "paused": State.PAUSED,
        "created": State.CREATED,
    }
    assert found["exited"].exit_code == 3
    assert found["running"].started == pytest.approx(time.time(), abs=120)
    assert {box.image_id for box in found.values()} == {snapshot.images[0].ref.id}
    assert snapshot.images[0].ref.id.startswith("sha256:")


async def test_lifecycle(podman: PrivatePodman) -> None:
    identity = podman.create("acted", stop_timeout=5)
    ref = container_ref(identity, "podman")
    async with connected(podman.url, "podman") as backend:
        for action, state in (
            (Action.START, "running"),
            (Action.PAUSE, "paused"),
            (Action.START, "running"),
            (Action.PAUSE, "paused"),
            (Action.RESUME, "running"),
            (Action.RESTART, "running"),
            (Action.STOP, "exited"),
            (Action.START, "running"),
            (Action.KILL, "exited"),
        ):
            await backend.perform(action, ref, NOTHING_CHOSEN)
            wait_until(lambda: podman.state(identity) == state, f"{state} after {action}")  # noqa: B023
        with pytest.raises(ActionError):
            await backend.perform(Action.RESUME, ref, NOTHING_CHOSEN)
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert podman.state(identity) == ""
        with pytest.raises(ActionError, match="gone"):
            await backend.inspect(ref)


async def test_what_podman_cannot_do_to_a_paused_container_is_refused_beforehand(podman: PrivatePodman) -> None:
    podman.client.pause(podman.run("paused"))
    async with connected(podman.url, "podman") as backend:
        refusals = dict((await container(backend, "paused")).refusals)
    assert "resume it first" in refusals[Action.STOP]
    assert "resume it first" in refusals[Action.RESTART]


async def test_events_name_what_changed(podman: PrivatePodman) -> None:
    async with connected(podman.url, "podman") as backend, Following(backend) as following:
        await asyncio.sleep(0)
        ref = container_ref(podman.create("seen"), "podman")

        async def seen() -> bool:
            # Until the stream stands a change may pass unseen
            if ref not in following.seen:
                podman.client.rename(ref.id, f"seen-{time.monotonic_ns()}")
                await asyncio.sleep(0.1)
            return ref in following.seen

        await eventually(seen, "an event")
        for change in ("start", "pause", "unpause", "kill", "remove_container"):
            await asyncio.sleep(0.3)
            following.seen.clear()
            getattr(podman.client, change)(ref.id)
            await eventually(lambda: _seen(following, ref), f"an event for {change}")
        assert (await backend.list_some([ref])).removed == (ref,)
        image = Ref("podman", Kind.IMAGE, podman.ensure_image())
        podman.client.tag(image.id, "other", "latest")
        await eventually(lambda: _seen(following, image), "the event of a tag")


async def _seen(following: Following, ref: Ref) -> bool:
    return ref in following.seen


async def test_load_comes_from_the_kernel_and_agrees(podman: PrivatePodman) -> None:
    ref = container_ref(podman.run("busy", BUSY, host={"cpu_quota": QUOTA}), "podman")
    async with connected(podman.url, "podman") as backend:
        before = await asyncio.to_thread(podman.client.stats, ref.id, None, False)
        usage = await loaded(backend, ref, 3)
        after = await asyncio.to_thread(podman.client.stats, ref.id, None, False)
    from datetime import datetime

    span = (datetime.fromisoformat(after["read"]) - datetime.fromisoformat(before["read"])).total_seconds()
    used = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    assert usage.cpu == pytest.approx(used / 1e9 / span, rel=0.1)
    assert usage.memory == pytest.approx(after["memory_stats"]["usage"], rel=0.1, abs=100_000)
    assert usage.memory_limit is None


async def test_an_image_goes_with_all_its_tags(podman: PrivatePodman) -> None:
    picture = podman.ensure_image("gone", "gone")
    podman.client.tag(picture, "elsewhere", "latest")
    ref = Ref("podman", Kind.IMAGE, picture)
    async with connected(podman.url, "podman") as backend:
        assert len(await backend.losses(Action.DELETE, ref)) == 2
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
    assert picture not in {found["Id"] for found in podman.client.images()}


async def test_a_killed_service_is_noticed_and_found_again(podman: PrivatePodman) -> None:
    podman.run("survivor")
    async with connected(podman.url, "podman") as backend:
        async with Following(backend) as following:
            ref = container_ref(podman.create("probe"), "podman")

            async def seen() -> bool:
                podman.client.rename(ref.id, f"probe-{time.monotonic_ns()}")
                await asyncio.sleep(0.1)
                return ref in following.seen

            await eventually(seen, "an event")
            podman.kill()

            async def noticed() -> bool:
                return following.error is not None

            await eventually(noticed, "the stream's end to be noticed")
        with pytest.raises(EngineError) as lost:
            await backend.connect()
        assert "Podman" in lost.value.reason or "refuses" in lost.value.reason
        await asyncio.to_thread(podman.start)
        await backend.connect()
        assert (await container(backend, "survivor")).state is State.RUNNING
