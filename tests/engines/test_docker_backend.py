"""Docker as boxtop sees it, against a private dockerd; what was done is asked of the engine itself."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from backends.base import ActionError, EngineError
from backends.docker import perform
from backends.docker.backend import DockerBackend
from backends.docker.client import Connection
from backends.model import Action, ActionOptions, Health, Kind, Ref, State
from tests.engines.docker_backend import Following, connected, container, container_ref, eventually, image, loaded
from tests.engines.docker_engine import BUSY, IMAGE, QUOTA, PrivateDocker, wait_until

pytestmark = pytest.mark.docker
NOTHING_CHOSEN = ActionOptions()


async def test_every_state_is_listed_right(docker: PrivateDocker) -> None:
    ids = docker.run_each_state()
    async with connected(docker.url) as backend:
        # A restarting container runs for a moment between its pauses
        await eventually(
            lambda: _is(backend, "restarting", State.RESTARTING), "the restarting container to be seen so", 30
        )
        snapshot = await backend.list_all()
        found = {box.name: box for box in snapshot.containers}
    assert {name: box.ref.id for name, box in found.items()} == ids
    states = {name: box.state for name, box in found.items() if name != "restarting"}
    assert states == {
        "running": State.RUNNING,
        "exited": State.EXITED,
        "paused": State.PAUSED,
        "created": State.CREATED,
        "unhealthy": State.RUNNING,
    }
    assert found["unhealthy"].health is Health.UNHEALTHY
    assert found["running"].health is None
    assert found["exited"].exit_code == 3
    running = docker.client.inspect_container(ids["running"])
    assert found["running"].created == pytest.approx(_unix(running["Created"]), abs=1)
    assert found["running"].started == pytest.approx(_unix(running["State"]["StartedAt"]), abs=2)
    exited = docker.client.inspect_container(ids["exited"])
    assert found["exited"].ended == pytest.approx(_unix(exited["State"]["FinishedAt"]), abs=2)
    assert found["exited"].started is None
    assert found["created"].started is None
    assert found["created"].ended is None


async def _is(backend: DockerBackend, name: str, state: State) -> bool:
    return (await container(backend, name)).state is state


def _unix(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


async def test_a_containers_facts(docker: PrivateDocker, tmp_path: Path) -> None:
    docker.network("front")
    docker.run(
        "facts",
        host={
            "network_mode": "front",
            "binds": {str(tmp_path): {"bind": "/data", "mode": "ro"}},
            # any free one, as the same is asked of another engine at the same time
            "port_bindings": {80: ("127.0.0.1", None)},
        },
        ports=[80, (53, "udp")],
        labels={"b": "2", "a": "1"},
    )
    async with connected(docker.url) as backend:
        box = await container(backend, "facts")
        picture = await image(backend, IMAGE)
        everything = await backend.inspect(box.ref)
    assert box.image == IMAGE
    assert box.image_id == picture.ref.id
    assert box.command.startswith("sh -c ")
    assert box.labels == (("a", "1"), ("b", "2"))
    assert [network for network, address in box.networks if address] == ["front"]
    assert [(mount.type, mount.source, mount.destination, mount.writable) for mount in box.mounts] == [
        ("bind", str(tmp_path), "/data", False)
    ]
    ports = {(port.port, port.protocol, port.host_ip, port.host_port) for port in box.ports}
    assert (53, "udp", "", None) in ports
    assert [(at, number or 0) > ("127.0.0.1", 0) for port, _, at, number in ports if port == 80] == [True]
    assert everything["Id"] == box.ref.id
    assert everything["Config"]["Labels"] == {"a": "1", "b": "2"}
    assert picture.tags == (IMAGE,)
    assert not picture.dangling
    assert picture.size > 1_000_000


async def test_names_from_outside_are_cleaned(docker: PrivateDocker) -> None:
    docker.create("hostile", ["echo", "\x1b[2J\x1b]0;title\x07red\x1b[31m"], labels={"evil": "a\x1b[2Jb\u202ec"})
    async with connected(docker.url) as backend:
        box = await container(backend, "hostile")
        data = await backend.inspect(box.ref)
    assert "\x1b" not in repr(box) + box.command + dict(box.labels)["evil"]
    assert "\u202e" not in dict(box.labels)["evil"]
    assert all("\x1b" not in word for word in data["Config"]["Cmd"])


async def test_some_are_listed_and_the_gone_are_named(docker: PrivateDocker) -> None:
    one, two = docker.run("one"), docker.run("two")
    picture = docker.ensure_image()
    async with connected(docker.url) as backend:
        gone, wanted = container_ref("f" * 64), Ref("docker", Kind.IMAGE, picture)
        absent_image = Ref("docker", Kind.IMAGE, "sha256:" + "e" * 64)
        change = await backend.list_some([container_ref(one), gone, wanted, absent_image])
    assert {item.ref for item in change.updated} == {container_ref(one), wanted}
    assert set(change.removed) == {gone, absent_image}
    assert two not in {item.ref.id for item in change.updated}


async def test_start_times_stay_the_same_and_follow_a_restart(docker: PrivateDocker) -> None:
    identity = docker.run("steady")
    async with connected(docker.url) as backend:
        first = (await container(backend, "steady")).started
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            assert (await container(backend, "steady")).started == first
            await asyncio.sleep(0.1)
        async with Following(backend) as following:
            await _stream_stands(docker, following)
            before = int(time.time()) - 1
            docker.client.restart(identity, timeout=1)
            told = [
                event["timeNano"] / 1e9
                for event in docker.client.events(since=before, until=int(time.time()) + 1, decode=True)
                if (event["Type"], event["Action"], event["Actor"]["ID"]) == ("container", "start", identity)
            ]

            async def exact() -> bool:
                started = (await container(backend, "steady")).started
                return started is not None and abs(started - told[-1]) < 0.01

            await eventually(exact, "the start time its event told")


async def test_events_name_what_changed(docker: PrivateDocker) -> None:
    async with connected(docker.url) as backend, Following(backend) as following:
        await _stream_stands(docker, following)
        for change in ("run", "rename", "pause", "unpause", "kill", "remove"):
            following.seen.clear()
            if change == "run":
                identity = docker.run("seen")
            elif change == "rename":
                docker.client.rename(identity, "renamed")
            elif change == "remove":
                docker.client.remove_container(identity, force=True)
            else:
                getattr(docker.client, change)(identity)
            ref = container_ref(identity)
            await eventually(lambda: _seen(following, ref), f"an event for {change}")  # noqa: B023
            listed = await backend.list_some([ref])
            if change == "remove":
                assert listed.removed == (ref,)
            elif change == "rename":
                assert listed.updated[0].name == "renamed"  # type: ignore[union-attr]


async def test_health_checks_flood_no_events_but_a_change_of_health_is_one(docker: PrivateDocker) -> None:
    check = {"test": ["CMD", "ls", "/tmp/sick"], "interval": 100_000_000, "retries": 1}
    async with connected(docker.url) as backend, Following(backend) as following:
        await _stream_stands(docker, following)
        ref = container_ref(docker.run("checked", healthcheck=check))

        async def health(wanted: Health) -> bool:
            change = await backend.list_some([ref])
            return change.updated[0].health is wanted  # type: ignore[union-attr]

        await eventually(lambda: health(Health.UNHEALTHY), "a failed check")
        await _stream_stands(docker, following)
        log = docker.client.inspect_container(ref.id)["State"]["Health"]["Log"][-1]["Start"]
        wait_until(
            lambda: docker.client.inspect_container(ref.id)["State"]["Health"]["Log"][-1]["Start"] != log,
            "another check",
        )
        await _stream_stands(docker, following, but=ref)
        run = docker.client.exec_create(ref.id, ["sh", "-c", "echo > /tmp/sick"])
        docker.client.exec_start(run["Id"])
        await eventually(lambda: _seen(following, ref), "the event of its recovery")
        assert await health(Health.HEALTHY)


async def _seen(following: Following, ref: Ref) -> bool:
    return ref in following.seen


async def test_image_events_name_the_image(docker: PrivateDocker) -> None:
    picture = docker.ensure_image()
    ref = Ref("docker", Kind.IMAGE, picture)
    async with connected(docker.url) as backend, Following(backend) as following:
        await _stream_stands(docker, following)
        docker.client.tag(picture, "other", "2")
        await eventually(lambda: _seen(following, ref), "the event of the tag")
        change = await backend.list_some([ref])
        assert change.updated[0].tags == (IMAGE, "other:2")  # type: ignore[union-attr]
        other = Ref("docker", Kind.IMAGE, docker.ensure_image("another:1", "different"))
        await eventually(lambda: _seen(following, other), "the event of the import")
        docker.client.remove_image("another:1")

        async def gone() -> bool:
            return other in (await backend.list_some([other])).removed

        await eventually(gone, "the image to be gone")


async def _stream_stands(docker: PrivateDocker, following: Following, but: Ref | None = None) -> None:
    """Wait until events arrive, and all so far have, as they come in order: a probe is seen, and `but` is not."""
    probe = container_ref(docker.create(f"probe-{time.monotonic_ns()}"))

    async def stirred() -> bool:
        docker.client.rename(probe.id, f"probe-{time.monotonic_ns()}")
        await asyncio.sleep(0.05)
        return probe in following.seen

    await eventually(stirred, "a probe to be seen")
    assert but not in following.seen

    docker.remove(probe.id)
    following.seen.clear()


async def test_actions_change_the_engines_own_state(docker: PrivateDocker) -> None:
    identity = docker.create("acted", stop_timeout=5)
    ref = container_ref(identity)
    async with connected(docker.url) as backend:
        for action, state in (
            (Action.START, "running"),
            (Action.PAUSE, "paused"),
            (Action.RESUME, "running"),
            (Action.PAUSE, "paused"),
            (Action.START, "running"),
            (Action.STOP, "exited"),
            (Action.START, "running"),
            (Action.KILL, "exited"),
        ):
            await backend.perform(action, ref, NOTHING_CHOSEN)
            wait_until(lambda: docker.state(identity) == state, f"{state} after {action}")  # noqa: B023
        assert docker.client.inspect_container(identity)["State"]["ExitCode"] == 137
        await backend.perform(Action.RESTART, ref, NOTHING_CHOSEN)
        began = docker.client.inspect_container(identity)["State"]["StartedAt"]
        await backend.perform(Action.RESTART, ref, NOTHING_CHOSEN)
        assert docker.client.inspect_container(identity)["State"]["StartedAt"] > began
        await backend.perform(Action.KILL, ref, ActionOptions(signal="SIGTERM"))
        wait_until(lambda: docker.state(identity) == "exited", "its end by SIGTERM")
        assert docker.client.inspect_container(identity)["State"]["ExitCode"] == 0
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert docker.state(identity) == ""


async def test_a_paused_container_stops(docker: PrivateDocker) -> None:
    identity = docker.run("paused", stop_timeout=2)
    docker.client.pause(identity)
    async with connected(docker.url) as backend:
        await backend.perform(Action.STOP, container_ref(identity), NOTHING_CHOSEN)
    assert docker.state(identity) == "exited"


async def test_a_stop_that_takes_its_time_is_no_failure(docker: PrivateDocker) -> None:
    """A container that ignores SIGTERM is killed after its own timeout, which is longer than a listing may take."""
    identity = docker.run("stubborn", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], stop_timeout=12)
    async with connected(docker.url) as backend:
        began = time.monotonic()
        stopping = asyncio.create_task(backend.perform(Action.STOP, container_ref(identity), NOTHING_CHOSEN))
        # Meanwhile everything else answers
        while not stopping.done() and time.monotonic() - began < 5:
            assert (await container(backend, "stubborn")).state is State.RUNNING
            await asyncio.sleep(0.5)
        await stopping
        assert time.monotonic() - began > 10
    assert docker.client.inspect_container(identity)["State"]["ExitCode"] == 137


async def test_a_stop_ends_well_though_boxtop_connects_anew_meanwhile(docker: PrivateDocker) -> None:
    identity = docker.run("stubborn", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], stop_timeout=3)
    async with connected(docker.url) as backend:
        stopping = asyncio.create_task(backend.perform(Action.STOP, container_ref(identity), NOTHING_CHOSEN))
        await asyncio.sleep(0)  # begun on the first connection
        while not stopping.done() and docker.state(identity) == "running":
            await backend.connect()
            await asyncio.sleep(0.3)
        await stopping
    assert docker.state(identity) == "exited"


async def test_a_kill_overtakes_stops_that_take_their_time(docker: PrivateDocker) -> None:
    """Four stubborn containers are being stopped, and each ends at once when it is killed."""
    stubborn = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
    refs = [container_ref(docker.run(f"stubborn-{number}", stubborn, stop_timeout=300)) for number in range(4)]
    async with connected(docker.url) as backend:
        stops = [asyncio.create_task(backend.perform(Action.STOP, ref, NOTHING_CHOSEN)) for ref in refs]
        await asyncio.sleep(1)
        assert not any(stop.done() for stop in stops)
        for ref in refs:
            await asyncio.wait_for(backend.perform(Action.KILL, ref, NOTHING_CHOSEN), 60)
        # The engine is done with its stops, too
        await asyncio.wait_for(asyncio.gather(*stops), 60)
    assert {docker.state(ref.id) for ref in refs} == {"exited"}


async def test_refusals_are_the_engines_words(docker: PrivateDocker) -> None:
    identity = docker.run("busy")
    async with connected(docker.url) as backend:
        with pytest.raises(ActionError, match="running container") as refused:
            await backend.perform(Action.DELETE, container_ref(identity), NOTHING_CHOSEN)
        assert "\n" not in str(refused.value)
        assert identity not in str(refused.value)
        with pytest.raises(ActionError, match="not paused"):
            await backend.perform(Action.RESUME, container_ref(identity), NOTHING_CHOSEN)
        with pytest.raises(ActionError, match="Invalid signal"):
            await backend.perform(Action.KILL, container_ref(identity), ActionOptions(signal="SIGNONE"))
        with pytest.raises(ActionError, match="No such container"):
            await backend.perform(Action.START, container_ref("f" * 64), NOTHING_CHOSEN)
        with pytest.raises(ActionError, match="gone"):
            await backend.inspect(container_ref("f" * 64))
        await backend.perform(Action.DELETE, container_ref(identity), ActionOptions(force=True))
    assert docker.state(identity) == ""


async def test_volumes_go_only_when_chosen(docker: PrivateDocker) -> None:
    async with connected(docker.url) as backend:
        for volumes, left in ((False, 1), (True, 0)):
            identity = docker.run("holder", volumes=["/data"], host={"binds": ["named:/named"]})
            (anonymous,) = [
                mount["Name"]
                for mount in docker.client.inspect_container(identity)["Mounts"]
                if mount["Name"] != "named"
            ]
            losses = await backend.losses(Action.DELETE, container_ref(identity))
            assert [loss.id for loss in losses if loss.id] == [anonymous]
            assert any("running" in loss.text for loss in losses)
            assert not any("named" in loss.text for loss in losses)
            docker.client.kill(identity)
            await backend.perform(Action.DELETE, container_ref(identity), ActionOptions(volumes=volumes))
            names = [volume["Name"] for volume in docker.client.volumes()["Volumes"]]
            assert names.count(anonymous) == left
            assert "named" in names


async def test_an_image_goes_with_all_its_tags(docker: PrivateDocker) -> None:
    picture = docker.ensure_image("gone:1", "gone")
    docker.client.tag(picture, "gone", "2")
    docker.client.tag(picture, "elsewhere", "3")
    ref = Ref("docker", Kind.IMAGE, picture)
    async with connected(docker.url) as backend:
        losses = await backend.losses(Action.DELETE, ref)
        assert {loss.text for loss in losses} == {"tag gone:1", "tag gone:2", "tag elsewhere:3"}
        await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert picture not in {found["Id"] for found in docker.client.images()}
        with pytest.raises(ActionError, match="gone"):
            await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)


@pytest.mark.parametrize("tags", [["moving:1"], ["moving:1", "moving:2"], ["elsewhere:1", "moving:1"]])
async def test_a_tag_that_a_build_moves_meanwhile_stays_with_its_new_image(
    docker: PrivateDocker, monkeypatch: pytest.MonkeyPatch, tags: list[str]
) -> None:
    """The build ends between the look at the image and its removal; whichever tag it is."""
    users = perform._users
    for moved in tags:
        old, new = docker.ensure_image(tags[0], f"old {moved}"), docker.ensure_image("built:1", f"new {moved}")
        for tag in tags:
            docker.client.tag(old, tag)

        def build(connection: Connection, image: str, new: str = new, moved: str = moved) -> list[tuple[str, str]]:
            docker.client.tag(new, moved)
            return users(connection, image)

        monkeypatch.setattr(perform, "_users", build)
        async with connected(docker.url) as backend:
            refused = ""
            try:
                await backend.perform(Action.DELETE, Ref("docker", Kind.IMAGE, old), NOTHING_CHOSEN)
            except ActionError as error:
                refused = str(error)
        monkeypatch.undo()
        assert next(found for found in docker.client.images() if moved in (found["RepoTags"] or []))["Id"] == new
        # The last one never goes by its name: this image goes by its id
        left = {found["Id"] for found in docker.client.images()}
        if moved == tags[-1]:
            assert (refused, old in left) == ("", False)
        else:
            assert f"{moved} was moved to another image" in refused
            assert old in left
        docker.client.remove_image(new, force=True)
        if refused:
            docker.client.remove_image(old, force=True)


async def test_an_image_in_use_stays_with_all_its_tags_unless_forced(docker: PrivateDocker) -> None:
    picture = docker.ensure_image("used:1", "used")
    docker.client.tag(picture, "used", "2")
    user = docker.create("user", image="used:1")
    ref = Ref("docker", Kind.IMAGE, picture)

    def tags() -> list[str]:
        return next((sorted(found["RepoTags"] or []) for found in docker.client.images() if found["Id"] == picture), [])

    async with connected(docker.url) as backend:
        assert any("user" in loss.text and loss.kept for loss in await backend.losses(Action.DELETE, ref))
        with pytest.raises(ActionError, match="used by user"):
            await backend.perform(Action.DELETE, ref, NOTHING_CHOSEN)
        assert tags() == ["used:1", "used:2"]
        docker.client.start(user)
        with pytest.raises(ActionError, match="user runs from this image"):
            await backend.perform(Action.DELETE, ref, ActionOptions(force=True))
        assert tags() == ["used:1", "used:2"]
        docker.client.kill(user)
        await backend.perform(Action.DELETE, ref, ActionOptions(force=True))
        assert tags() == []
    assert docker.state(user) == "exited"


async def test_load_agrees_with_the_engines_own_figures(docker: PrivateDocker) -> None:
    """CPU and memory of a busy container, within 10 % of the stats API over the same time."""
    # 64 MiB of file in a tmpfs are shared memory: they count, and stay
    fill = "dd if=/dev/zero of=/fill/x bs=1M count=64 2>/dev/null; " + BUSY[2]
    identity = docker.run("busy", ["sh", "-c", fill], host={"tmpfs": {"/fill": ""}, "cpu_quota": QUOTA})
    docker.client.update_container(identity, mem_limit=256 << 20, memswap_limit=512 << 20)
    ref = container_ref(identity)
    wait_until(lambda: docker.client.stats(identity, stream=False)["memory_stats"]["usage"] > 60 << 20, "the file")
    async with connected(docker.url) as backend:
        before = await asyncio.to_thread(docker.client.stats, identity, None, False, True)
        await backend.usage([ref])
        await asyncio.sleep(4)
        usage = (await backend.usage([ref]))[ref]
        after = await asyncio.to_thread(docker.client.stats, identity, None, False, True)
    used = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    assert usage.cpu == pytest.approx(used / 1e9 / (_unix(after["read"]) - _unix(before["read"])), rel=0.1)
    memory = after["memory_stats"]
    assert usage.memory == pytest.approx(memory["usage"] - memory["stats"]["total_inactive_file"], rel=0.1)
    assert usage.memory_cache == pytest.approx(memory["stats"]["total_cache"], rel=0.1)
    assert usage.memory_limit == 256 << 20
    assert usage.cpu_limit == pytest.approx(0.2)
    assert usage.pids == after["pids_stats"]["current"]


async def test_network_and_disk_rates(docker: PrivateDocker) -> None:
    docker.network("wire")
    sink = docker.run("sink", ["sh", "-c", "sleep 1000 | nc -l -p 9 > /dev/null"], host={"network_mode": "wire"})
    address = docker.client.inspect_container(sink)["NetworkSettings"]["Networks"]["wire"]["IPAddress"]
    wait = "while [ ! -e /go ]; do sleep 0.05; done"
    send = f"{wait}; dd if=/dev/zero bs=1M count=20 2>/dev/null | nc {address} 9; sleep 1000"
    source = docker.run("source", ["sh", "-c", send], host={"network_mode": "wire"})
    async with connected(docker.url) as backend:
        refs = [container_ref(sink), container_ref(source)]
        sent = received = 0.0
        last = (await backend.usage(refs))[refs[1]].time
        # not before the first figures
        docker.client.exec_start(docker.client.exec_create(source, ["sh", "-c", ": > /go"])["Id"])
        deadline = time.monotonic() + 60
        while (sent < 20e6 or received < 1e6) and time.monotonic() < deadline:
            await asyncio.sleep(0.4)
            usage = await backend.usage(refs)
            # by the times of the figures, however late they come
            sent += (usage[refs[1]].network_transmit or 0) * (usage[refs[1]].time - last)
            last = usage[refs[1]].time
            received = max(received, usage[refs[0]].network_receive or 0)
        assert 20e6 < sent < 26e6
        assert received > 1e6


async def test_the_hosts_network_is_not_a_containers(docker: PrivateDocker) -> None:
    hosted, own = docker.run("hosted", host={"network_mode": "host"}), docker.run("own")
    async with connected(docker.url) as backend:
        assert (await loaded(backend, container_ref(hosted), 0.3)).network_receive is None
        assert (await loaded(backend, container_ref(own), 0.3)).network_receive == 0


async def test_a_restart_gives_no_wrong_rates(docker: PrivateDocker) -> None:
    identity = docker.run("again", BUSY, stop_timeout=1, host={"cpu_quota": QUOTA})
    ref = container_ref(identity)
    async with connected(docker.url) as backend:
        assert ((await loaded(backend, ref)).cpu or 0) > 0.1
        docker.client.restart(identity, timeout=1)
        await asyncio.sleep(0.3)  # figures asked for again at once are the last ones
        first = (await backend.usage([ref]))[ref]
        assert first.cpu is None
        assert ((await loaded(backend, ref)).cpu or 0) > 0.1
        docker.client.kill(identity)
        wait_until(lambda: docker.state(identity) == "exited", "its end")

        async def without() -> bool:
            return await backend.usage([ref]) == {}

        await eventually(without, "its figures to end")


async def test_watching_load_asks_the_engine_nothing(docker: PrivateDocker) -> None:
    ref = container_ref(docker.run("quiet"))
    async with connected(docker.url) as backend:
        await backend.usage([ref])
        docker.freeze()
        try:
            usage = await asyncio.wait_for(loaded(backend, ref, 0.3), 30)
        finally:
            docker.thaw()
    assert usage.memory


async def test_files_of_ended_containers_are_closed(docker: PrivateDocker) -> None:
    def open_files() -> int:
        links = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return sum(link.startswith(("/sys/fs/cgroup", "/proc/")) for link in links)

    async with connected(docker.url) as backend:
        before = open_files()
        for number in range(3):
            ref = container_ref(docker.run(f"short-{number}"))
            assert ref in await backend.usage([ref])
            assert open_files() > before
            docker.remove(ref.id)

            async def without(ref: Ref = ref) -> bool:
                return await backend.usage([ref]) == {}

            await eventually(without, "its figures to end")
            assert open_files() == before


async def test_a_killed_engine_is_noticed_and_found_again(docker: PrivateDocker) -> None:
    identity = docker.run("survivor")
    async with connected(docker.url) as backend:
        await backend.list_all()
        async with Following(backend) as following:
            await _stream_stands(docker, following)
            docker.kill()

            async def noticed() -> bool:
                return following.error is not None

            await eventually(noticed, "the stream's end to be noticed")
        assert isinstance(following.error, EngineError)
        for call in (backend.list_all, backend.connect):
            with pytest.raises(EngineError) as lost:
                await call()
            assert "refuses connections" in lost.value.reason or "closed" in lost.value.reason
            assert "systemctl start docker" in lost.value.remedy or "restarting" in lost.value.remedy
        await asyncio.to_thread(docker.start)
        await backend.connect()
        box = await container(backend, "survivor")
        assert box.ref.id == identity
        async with Following(backend) as again:
            await _stream_stands(docker, again)
        assert again.error is None


async def test_a_stopped_engine_says_how_to_start_it(docker: PrivateDocker) -> None:
    docker.terminate()
    backend = DockerBackend("docker", docker.url)
    with pytest.raises(EngineError) as error:
        await backend.connect()
    await backend.close()
    assert str(docker.socket) in error.value.reason
    assert "systemctl start docker" in error.value.remedy
    assert not error.value.absent


async def test_a_frozen_engine_hangs_nothing(docker: PrivateDocker) -> None:
    backend = DockerBackend("docker", docker.url)
    await backend.connect()
    docker.freeze()
    try:
        with pytest.raises(EngineError, match="does not answer"):
            await asyncio.wait_for(backend.list_all(), 60)
        # A call under way ends with close, long before its timeout
        call = asyncio.create_task(backend.list_all())
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await backend.close()
        with pytest.raises(EngineError):
            await call
        assert time.monotonic() - began < 8
    finally:
        docker.thaw()


async def test_close_leaves_no_thread_and_no_file(docker: PrivateDocker) -> None:
    ref = container_ref(docker.run("seen"))

    async def use_everything() -> None:
        async with connected(docker.url) as backend, Following(backend) as following:
            while ref not in following.seen:
                docker.client.pause(ref.id)
                docker.client.unpause(ref.id)
                await asyncio.sleep(0.05)
            await backend.usage([ref])
            await asyncio.gather(*(backend.list_all() for _ in range(3)))

    await use_everything()  # what is imported, and the test's own connections
    files, threads = len(os.listdir("/proc/self/fd")), set(threading.enumerate())
    await use_everything()

    async def ended() -> bool:
        # The pool of `asyncio.to_thread` is the loop's
        left = {thread for thread in set(threading.enumerate()) - threads if not thread.name.startswith("asyncio")}
        return not left

    await eventually(ended, "its threads to end")
    assert len(os.listdir("/proc/self/fd")) <= files


async def test_permission_denied_names_the_group(docker: PrivateDocker) -> None:
    """Asked by a process of user nobody, as a user outside the group is."""
    os.chmod(docker.directory, 0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            try:
                asyncio.new_event_loop().run_until_complete(DockerBackend("docker", docker.url).connect())
                answer = "connected"
            except EngineError as error:
                answer = f"{error.reason}\n{error.remedy}"
            os.write(writer, answer.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = await asyncio.to_thread(pipe.read)
    await asyncio.to_thread(os.waitpid, child, 0)
    assert "permission denied" in answer
    assert str(docker.socket) in answer
    assert "usermod -aG" in answer or "groupadd docker" in answer
