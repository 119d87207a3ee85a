"""Run, rename, commit, limits and recreation on a private dockerd; what came of it is asked of the engine itself."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.abilities.containers import Commit, CommitOptions, Recreate, Recreation, Rename, Run, Update
from backends.base import ActionError
from backends.docker.backend import DockerBackend
from backends.model import Action, ActionOptions, Ref
from backends.progress import Progress
from backends.runs.spec import RunSpec
from tests.engines.docker_backend import connected, container_ref
from tests.engines.docker_engine import IDLE, IMAGE, PrivateDocker, root_archive, wait_until

pytestmark = pytest.mark.docker
QUICK = Recreation(observe=0.6)
PATIENT = Recreation(observe=30)
"""For one that does not stay up, which Docker 20.10 may tell a second and more later on a busy disk."""


class Heard:
    """A report that remembers; `on` is called with each progress."""

    def __init__(self, on: Callable[[str], None] = lambda _: None) -> None:
        self.lines: list[str] = []
        self._on = on

    def progress(self, progress: Progress) -> None:
        self._on(progress.text)

    def line(self, text: str) -> None:
        self.lines.append(text)


def able(backend: DockerBackend, kind: type[Any]) -> Any:
    found = backend.ability(kind)
    assert found is not None
    return found


def inspected(docker: PrivateDocker, name: str) -> dict[str, Any]:
    return docker.client.inspect_container(name)


def names(docker: PrivateDocker) -> dict[str, str]:
    return {entry["Names"][0].removeprefix("/"): entry["Id"] for entry in docker.client.containers(all=True)}


def holder(docker: PrivateDocker, name: str) -> Ref | None:
    """The container of this name."""
    return container_ref(names(docker)[name]) if name in names(docker) else None


async def test_a_run_is_made_as_it_says(docker: PrivateDocker, tmp_path: Path) -> None:
    docker.network("front")
    spec = RunSpec(
        image=IMAGE,
        name="made",
        command=tuple(IDLE),
        ports=("127.0.0.1:28085:80", "53:53/udp"),
        environment=("A=1 2", "B="),
        volumes=(f"{tmp_path}:/host:ro", "named:/named", "/anonymous"),
        network="front",
        restart="on-failure:3",
        cpus=0.5,
        memory=64 << 20,
        labels=("team=shop", "bare"),
        user="1000",
        workdir="/tmp",
        hostname="inside",
        interactive=True,
        tty=True,
        more=("--cap-add=NET_ADMIN", "--network-alias=www", "--read-only", "--tmpfs=/run", "--shm-size=32m"),
    )
    async with connected(docker.url) as backend:
        ref = await able(backend, Run).run(spec)
    answer = inspected(docker, "made")
    config, host = answer["Config"], answer["HostConfig"]
    assert answer["Id"] == ref.id
    assert answer["State"]["Running"]
    assert config["Cmd"] == IDLE
    assert {"A=1 2", "B="} <= set(config["Env"])
    assert (config["User"], config["WorkingDir"], config["Hostname"]) == ("1000", "/tmp", "inside")
    assert (config["OpenStdin"], config["Tty"]) == (True, True)
    assert config["Labels"] == {"team": "shop", "bare": ""}
    assert host["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "28085"}],
        "53/udp": [{"HostIp": "", "HostPort": "53"}],
    }
    mounts = {mount["Destination"]: mount for mount in answer["Mounts"]}
    assert (mounts["/host"]["Source"], mounts["/host"]["RW"]) == (str(tmp_path), False)
    assert mounts["/named"]["Name"] == "named"
    assert len(mounts["/anonymous"]["Name"]) == 64
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert (host["NanoCpus"], host["Memory"]) == (500_000_000, 64 << 20)
    assert host["CapAdd"][0].endswith("NET_ADMIN")
    assert host["ReadonlyRootfs"]
    assert (host["Tmpfs"], host["ShmSize"]) == ({"/run": ""}, 32 << 20)
    assert "www" in answer["NetworkSettings"]["Networks"]["front"]["Aliases"]
    docker.client.remove_container("made", force=True, v=True)
    docker.client.remove_volume("named")


async def test_only_created_is_not_started_and_what_does_not_start_is_removed(docker: PrivateDocker) -> None:
    async with connected(docker.url) as backend:
        run = able(backend, Run)
        await run.run(RunSpec(image=IMAGE, name="resting", network="none", command=("sleep", "9"), start=False))
        assert docker.state("resting") == "created"
        with pytest.raises(ActionError, match="no-such-program"):
            await run.run(RunSpec(image=IMAGE, name="broken", network="none", command=("no-such-program",)))
        assert "broken" not in names(docker)
        with pytest.raises(ActionError, match="already in use"):
            await run.run(RunSpec(image=IMAGE, name="resting", network="none", command=("true",)))
        assert await run.has_image(IMAGE)
        assert not await run.has_image("no-such-image:1")


async def test_objections_name_the_field(docker: PrivateDocker, tmp_path: Path) -> None:
    docker.network("front")
    box = docker.run("taken", host={"network_mode": "front", "port_bindings": {80: 28086}}, ports=[80])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        async with connected(docker.url) as backend:
            run = able(backend, Run)
            bad = RunSpec(
                image=IMAGE, name="taken", network="nowhere", ports=("28086:80",), volumes=(f"{tmp_path}/no:/x",)
            )
            found = await run.objections(bad)
            assert found == {
                "name": "a container is called taken already",
                "network": "there is no network nowhere",
                "ports": "taken has port 28086/tcp of the host",
                "volumes": f"there is no {tmp_path}/no on this machine",
            }
            assert await run.objections(RunSpec(ports=(f"{port}:80",))) == {
                "ports": f"a program on this machine has port {port}/tcp"
            }
            good = RunSpec(image=IMAGE, name="taken", network="front", ports=("28086:80",), volumes=(f"{tmp_path}:/x",))
            assert await run.objections(good, container_ref(box)) == {}


async def test_rename_and_commit(docker: PrivateDocker) -> None:
    box = docker.run("before", ["sh", "-c", "echo kept > /data/kept; trap 'exit 0' TERM; while :; do sleep 1; done"])
    docker.run("other")
    async with connected(docker.url) as backend:
        rename = able(backend, Rename)
        with pytest.raises(ActionError, match="already in use"):
            await rename.rename(container_ref(box), "other")
        with pytest.raises(ActionError, match="letters"):
            await rename.rename(container_ref(box), "no/good")
        await rename.rename(container_ref(box), "after")
        assert inspected(docker, box)["Name"] == "/after"
        short = await able(backend, Commit).commit(
            container_ref(box), CommitOptions("team/kept", "2", "what was done", "Ada", pause=True)
        )
    image = docker.client.inspect_image("team/kept:2")
    assert image["Id"].startswith(f"sha256:{short}")
    assert (image["Comment"], image["Author"]) == ("what was done", "Ada")
    assert docker.state("after") == "running"
    reading = docker.run("reading", ["cat", "/data/kept"], image="team/kept:2")
    docker.client.wait(reading)
    assert docker.client.logs(reading) == b"kept\n"


async def test_limits_are_read_and_changed_while_it_runs(docker: PrivateDocker) -> None:
    box = docker.run("limited", host={"mem_limit": "64m", "nano_cpus": 500_000_000, "pids_limit": 50})
    ref = container_ref(box)
    async with connected(docker.url) as backend:
        update = able(backend, Update)
        before = await update.limits(ref)
        assert (before.cpus, before.memory, before.pids, before.restart) == (0.5, 64 << 20, 50, "no")
        after = replace(before, cpus=1.5, memory=128 << 20, swap=None, pids=None, restart="on-failure:2")
        await update.update(ref, before, after)
        host = inspected(docker, box)["HostConfig"]
        assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (1_500_000_000, 128 << 20, 256 << 20)
        assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
        now = await update.limits(ref)
        assert (now.cpus, now.memory, now.pids, now.restart) == (1.5, 128 << 20, None, "on-failure:2")
        with pytest.raises(ActionError, match="recreate"):
            await update.update(ref, now, replace(now, memory=None))
        assert docker.state(box) == "running"


async def test_stop_with_a_timeout_of_ones_own(docker: PrivateDocker) -> None:
    box = docker.run("deaf", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], stop_timeout=60)
    loop = asyncio.get_running_loop()
    async with connected(docker.url) as backend:
        began = loop.time()
        await backend.perform(Action.STOP, container_ref(box), ActionOptions(timeout=1))
        assert loop.time() - began < 45
    assert inspected(docker, box)["State"]["ExitCode"] == 137


def tag(docker: PrivateDocker, reference: str, content: str, *changes: str) -> str:
    """Make `reference` a new image; its id."""
    repository, _, name = reference.partition(":")
    docker.client.import_image_from_data(root_archive(content), repository=repository, tag=name, changes=list(changes))
    return str(docker.client.inspect_image(reference)["Id"])


async def test_a_cancelled_run_leaves_nothing(docker: PrivateDocker) -> None:
    docker.ensure_image(IMAGE)
    async with connected(docker.url) as backend:
        running = asyncio.create_task(
            able(backend, Run).run(RunSpec(image=IMAGE, name="made", command=tuple(IDLE), network="none"))
        )
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert names(docker) == {}
    told = docker.client.events(since=int(time.time()) - 60, until=int(time.time()) + 1, decode=True)
    mine = [event["Action"] for event in told if event.get("Actor", {}).get("Attributes", {}).get("name") == "made"]
    assert mine[-2:] == ["create", "destroy"]


def shop(docker: PrivateDocker, image: str) -> str:
    """A container with all that must survive."""
    docker.network("front")
    client = docker.client
    back = client.create_network("back", ipam={"Config": [{"Subnet": "10.231.7.0/24"}]})
    docker._bridges.add(f"br-{back['Id'][:12]}")
    place = client.create_endpoint_config(aliases=["www"])
    box = docker.create(
        "shop",
        IDLE,
        image=image,
        ports=[80],
        volumes=["/anonymous"],
        environment={"TOKEN_SECRET": "hunter2", "MODE": "old"},
        labels={"team": "shop"},
        networking_config=client.create_networking_config({"front": place}),
        host={
            "network_mode": "front",
            "port_bindings": {80: ("127.0.0.1", 28087)},
            "binds": ["shop-data:/data"],
            "restart_policy": {"Name": "unless-stopped"},
            "mem_limit": "64m",
            "cap_add": ["NET_ADMIN"],
            "ulimits": [{"Name": "nofile", "Soft": 512, "Hard": 512}],
        },
    )
    client.connect_container_to_network(box, back["Id"], ipv4_address="10.231.7.9", aliases=["backend"])
    client.start(box)
    written = client.exec_create(box, ["sh", "-c", "echo precious > /anonymous/it; echo named > /data/it"])
    client.exec_start(written["Id"])
    return box


def read(docker: PrivateDocker, box: str, path: str) -> str:
    made = docker.client.exec_create(box, ["cat", path])
    return str(docker.client.exec_start(made["Id"]).decode().strip())


async def test_a_recreation_on_a_newer_image_keeps_everything(docker: PrivateDocker) -> None:
    tag(docker, "app:1", "old", "ENV FROM_IMAGE=old", "VOLUME /declared")
    old = shop(docker, "app:1")
    before = inspected(docker, old)
    newer = tag(docker, "app:1", "new", "ENV FROM_IMAGE=new", "VOLUME /declared")
    heard = Heard()
    async with connected(docker.url) as backend:
        recreate = able(backend, Recreate)
        existing = await recreate.existing(container_ref(old))
        assert existing.refusal == ""
        assert "hunter2" not in str(existing)
        result = await recreate.recreate(container_ref(old), QUICK, heard)
        assert result == "shop was made anew from app:1"
        again = await recreate.recreate(container_ref(names(docker)["shop"]), QUICK, heard)
        assert "up to date" in again
    after = inspected(docker, "shop")
    assert list(names(docker)) == ["shop"]
    assert after["Id"] != old
    assert after["Image"] == newer
    assert after["State"]["Running"]
    assert read(docker, "shop", "/content") == "new"
    assert set(after["Config"]["Env"]) >= {"FROM_IMAGE=new", "TOKEN_SECRET=hunter2", "MODE=old"}
    assert "FROM_IMAGE=old" not in after["Config"]["Env"]
    mounts = kept(before, after)
    assert read(docker, "shop", "/anonymous/it") == "precious"
    assert read(docker, "shop", "/data/it") == "named"
    for volume in mounts.values():
        docker.client.inspect_volume(volume)


def kept(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """That a container made anew has what `shop` gave the old one; its volumes' names by path."""
    assert after["Config"]["Labels"] == {"team": "shop"}
    for key in ("PortBindings", "RestartPolicy", "Memory", "MemorySwap", "CapAdd", "Ulimits", "NetworkMode"):
        assert after["HostConfig"][key] == before["HostConfig"][key], key
    mounts = [{mount["Destination"]: mount["Name"] for mount in answer["Mounts"]} for answer in (before, after)]
    assert mounts[0] == mounts[1]
    assert set(mounts[0]) == {"/data", "/anonymous", "/declared"}
    places = after["NetworkSettings"]["Networks"]
    assert set(places) == {"front", "back"}
    assert "www" in places["front"]["Aliases"]
    assert before["Id"][:12] not in places["front"]["Aliases"]
    assert places["back"]["IPAddress"] == "10.231.7.9"
    assert "backend" in places["back"]["Aliases"]
    return mounts[0]


async def test_a_newer_engine_keeps_everything_too_and_puts_the_old_one_back(newer_docker: PrivateDocker) -> None:
    tag(newer_docker, "app:1", "old", "VOLUME /declared")
    old = shop(newer_docker, "app:1")
    before = inspected(newer_docker, old)
    newer = tag(newer_docker, "app:1", "new", "VOLUME /declared")
    async with connected(newer_docker.url) as backend:
        recreate = able(backend, Recreate)
        await recreate.recreate(container_ref(old), QUICK, Heard())
        after = inspected(newer_docker, "shop")
        assert (after["Image"], after["State"]["Running"]) == (newer, True)
        kept(before, after)
        tag(newer_docker, "app:1", "bad", 'ENTRYPOINT ["false"]')
        with pytest.raises(ActionError, match="the old shop runs again"):
            await recreate.recreate(container_ref(after["Id"]), PATIENT, Heard())
    assert names(newer_docker) == {"shop": after["Id"]}
    assert newer_docker.state("shop") == "running"


async def test_edited_settings_change_and_the_rest_stays(docker: PrivateDocker) -> None:
    tag(docker, "app:1", "old", "VOLUME /declared")
    old = shop(docker, "app:1")
    before = {mount["Destination"]: mount["Name"] for mount in inspected(docker, old)["Mounts"]}
    async with connected(docker.url) as backend:
        recreate = able(backend, Recreate)
        shown = (await recreate.existing(container_ref(old))).spec
        assert set(shown.volumes) == {"shop-data:/data", "/anonymous", "/declared"}
        spec = replace(
            shown,
            environment=(*(entry for entry in shown.environment if not entry.startswith("MODE")), "MODE=new"),
            ports=("127.0.0.1:28088:80",),
            volumes=(*shown.volumes, "/srv-extra"),
            memory=None,
            restart="no",
            more=("--cap-add=SYS_TIME",),
        )
        await recreate.recreate(container_ref(old), replace(QUICK, spec=spec, keep=True), Heard())
    after = inspected(docker, "shop")
    assert {"TOKEN_SECRET=hunter2", "MODE=new"} <= set(after["Config"]["Env"])
    assert "MODE=old" not in after["Config"]["Env"]
    assert after["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "28088"}]}
    assert (after["HostConfig"]["Memory"], after["HostConfig"]["RestartPolicy"]["Name"]) == (0, "no")
    assert {cap.removeprefix("CAP_") for cap in after["HostConfig"]["CapAdd"]} == {"NET_ADMIN", "SYS_TIME"}
    mounts = {mount["Destination"]: mount["Name"] for mount in after["Mounts"]}
    assert before.items() <= mounts.items()
    assert set(mounts) - set(before) == {"/srv-extra"}
    assert set(after["NetworkSettings"]["Networks"]) == {"front", "back"}
    # kept on demand, and put back by its own command
    assert names(docker)["shop.boxtop-old"] == old
    assert docker.state(old) == "exited"
    async with connected(docker.url) as backend:
        await able(backend, Recreate).put_back(container_ref(old), holder(docker, "shop"), Heard())
    assert names(docker) == {"shop": old}
    assert docker.state(old) == "running"
    assert read(docker, "shop", "/anonymous/it") == "precious"


def ends_at_once(docker: PrivateDocker) -> RunSpec | None:
    tag(docker, "app:1", "bad", 'ENTRYPOINT ["false"]')
    return None


def bad_command(docker: PrivateDocker) -> RunSpec | None:
    tag(docker, "app:1", "bad", 'ENTRYPOINT ["/no/such/program"]')
    return None


def never_healthy(docker: PrivateDocker) -> RunSpec | None:
    tag(docker, "app:1", "bad", "HEALTHCHECK --interval=200ms --timeout=1s --retries=2 CMD false")
    return None


def port_taken(docker: PrivateDocker) -> RunSpec:
    docker.run("rival", host={"network_mode": "front", "port_bindings": {80: ("127.0.0.1", 28089)}}, ports=[80])
    return RunSpec(ports=("127.0.0.1:28089:80",))


def bad_mount(docker: PrivateDocker) -> RunSpec:
    return RunSpec(more=("--volumes-from=nobody-of-this-name",))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (ends_at_once, "did not stay up"),
        (bad_command, "no such file"),
        (never_healthy, "unhealthy"),
        (port_taken, "port is already allocated|address already in use"),
        (bad_mount, "nobody-of-this-name"),
    ],
)
async def test_when_the_new_one_fails_the_old_one_runs_again(
    docker: PrivateDocker, spoil: Callable[[PrivateDocker], RunSpec | None], reason: str
) -> None:
    good = tag(docker, "app:1", "good")
    old = shop(docker, "app:1")
    edit = spoil(docker)
    others = set(names(docker)) - {"shop"}
    heard = Heard()
    async with connected(docker.url) as backend:
        recreate = able(backend, Recreate)
        spec = None
        if edit is not None:
            shown = (await recreate.existing(container_ref(old))).spec
            spec = replace(shown, ports=edit.ports or shown.ports, more=edit.more)
        with pytest.raises(ActionError, match=reason) as failure:
            await recreate.recreate(container_ref(old), replace(PATIENT, spec=spec), heard)
    assert "the old shop" in str(failure.value)
    assert names(docker)["shop"] == old
    assert set(names(docker)) == {"shop", *others}
    answer = inspected(docker, old)
    assert answer["State"]["Running"]
    assert answer["Image"] == good
    assert read(docker, "shop", "/anonymous/it") == "precious"
    assert set(answer["NetworkSettings"]["Networks"]) == {"front", "back"}


@pytest.mark.parametrize("step", ["creating", "stopping", "watching"])
async def test_cancelled_at_any_step_the_old_one_runs_again(docker: PrivateDocker, step: str) -> None:
    tag(docker, "app:1", "old")
    old = docker.run("shop", image="app:1")
    tag(docker, "app:1", "new")
    tasks: list[asyncio.Task[str]] = []
    heard = Heard(lambda text: tasks[0].cancel() if text.startswith(step) else None)
    async with connected(docker.url) as backend:
        tasks.append(
            asyncio.create_task(able(backend, Recreate).recreate(container_ref(old), Recreation(observe=30), heard))
        )
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
    assert names(docker) == {"shop": old}
    assert docker.state(old) == "running"


async def test_an_engine_lost_meanwhile_leaves_the_old_one_to_be_put_back(docker: PrivateDocker) -> None:
    tag(docker, "app:1", "old")
    old = docker.run("shop", image="app:1")
    tag(docker, "app:1", "new")
    heard = Heard(lambda text: docker.kill() if text.startswith("watching") else None)
    async with connected(docker.url) as backend:
        with pytest.raises(ActionError, match=r"NOT put back, the old container is shop\.boxtop-old"):
            await able(backend, Recreate).recreate(container_ref(old), Recreation(observe=30), heard)
        docker.start()
        await backend.connect()
        assert names(docker)["shop.boxtop-old"] == old
        existing = await able(backend, Recreate).existing(container_ref(old))
        assert "put it back" in existing.refusal
        await able(backend, Recreate).put_back(container_ref(old), holder(docker, "shop"), Heard())
    assert names(docker) == {"shop": old}
    wait_until(lambda: docker.state(old) == "running", "the old one to run")


_RECREATING = """
import asyncio, sys, time
from backends.abilities.containers import Recreate, Recreation
from backends.docker.backend import DockerBackend
from backends.model import Kind, Ref

class Told:
    def progress(self, progress):
        print(progress.text, flush=True)
        if progress.text.startswith(sys.argv[3]):
            time.sleep(600)  # to be killed here: what is on its way to the engine then would be done by it later
    def line(self, text): pass

async def main():
    backend = DockerBackend("docker", sys.argv[1])
    await backend.connect()
    recreate = backend.ability(Recreate)
    await recreate.recreate(Ref("docker", Kind.CONTAINER, sys.argv[2]), Recreation(observe=60), Told())

asyncio.run(main())
"""


def _recreate_until(step: str, url: str, container: str) -> None:
    """Recreate in a process that is killed when it comes to this step."""
    command = [sys.executable, "-c", _RECREATING, url, container, step]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith(step):
                break
        program.kill()


@pytest.mark.parametrize("step", ["creating", "watching"])
async def test_killed_meanwhile_it_leaves_the_old_one_to_be_put_back(docker: PrivateDocker, step: str) -> None:
    tag(docker, "app:1", "old")
    old = docker.run("shop", image="app:1")
    tag(docker, "app:1", "new")
    await asyncio.to_thread(_recreate_until, step, docker.url, old)
    assert names(docker)["shop.boxtop-old"] == old
    async with connected(docker.url) as backend:
        await able(backend, Recreate).put_back(container_ref(old), holder(docker, "shop"), Heard())
    assert names(docker) == {"shop": old}
    assert docker.state(old) == "running"


async def test_a_kept_old_one_is_not_started_by_the_engine_and_put_back_only_over_its_own_successor(
    docker: PrivateDocker,
) -> None:
    tag(docker, "app:1", "old")
    old = docker.run("shop", image="app:1", host={"restart_policy": {"Name": "always"}})
    async with connected(docker.url) as backend:
        recreate = able(backend, Recreate)
        said = await recreate.recreate(container_ref(old), replace(QUICK, keep=True, always=True), Heard())
        assert "restart policy unless-stopped" in said
        assert inspected(docker, old)["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
        assert inspected(docker, "shop")["HostConfig"]["RestartPolicy"]["Name"] == "always"
        for shown in (None, container_ref("0" * 64)):
            with pytest.raises(ActionError, match="another container is called shop by now"):
                await recreate.put_back(container_ref(old), shown, Heard())
        assert docker.state("shop") == "running"
        await recreate.put_back(container_ref(old), holder(docker, "shop"), Heard())
    assert names(docker) == {"shop": old}
    assert inspected(docker, old)["HostConfig"]["RestartPolicy"]["Name"] == "always"


async def test_what_cannot_be_put_back_is_refused_before_anything_is_touched(docker: PrivateDocker) -> None:
    gone = docker.run("gone", host={"auto_remove": True})
    still = docker.run("still")
    docker.client.pause(still)
    async with connected(docker.url) as backend:
        recreate = able(backend, Recreate)
        for box, reason in ((gone, "--rm"), (still, "resume")):
            with pytest.raises(ActionError, match=reason):
                await recreate.recreate(container_ref(box), replace(QUICK, always=True), Heard())
        assert names(docker) == {"gone": gone, "still": still}
        rest = docker.create("rest")
        await recreate.recreate(container_ref(rest), replace(QUICK, always=True), Heard())
        assert docker.state("rest") == "created"
        assert names(docker)["rest"] != rest
