"""Run, rename, commit, limits and recreation through Podman's service for the Docker API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.abilities.containers import Commit, CommitOptions, Recreate, Recreation, Rename, Run, Update
from backends.base import ActionError
from backends.runs.spec import RunSpec
from tests.engines.docker_backend import connected, container_ref
from tests.engines.docker_engine import IDLE, root_archive
from tests.engines.podman_engine import PODMAN_IMAGE, PrivatePodman
from tests.engines.test_docker_containers import Heard, able

pytestmark = pytest.mark.podman


async def test_run_rename_commit_and_limits(podman: PrivatePodman) -> None:
    spec = RunSpec(
        image=PODMAN_IMAGE,
        name="made",
        command=tuple(IDLE),
        environment=("A=1",),
        network="none",
        labels=("team=shop",),
        memory=64 << 20,
    )
    async with connected(podman.url, "podman") as backend:
        ref = await able(backend, Run).run(spec)
        answer = podman.client.inspect_container("made")
        assert answer["State"]["Running"]
        assert "A=1" in answer["Config"]["Env"]
        assert answer["Config"]["Labels"]["team"] == "shop"
        assert answer["HostConfig"]["Memory"] == 64 << 20
        found = await able(backend, Run).objections(spec)
        assert found == {"name": "a container is called made already"}
        await able(backend, Rename).rename(ref, "named")
        assert podman.client.inspect_container(ref.id)["Name"] == "/named"
        await able(backend, Commit).commit(ref, CommitOptions("team/kept", "2", "what was done", "Ada"))
        assert podman.client.inspect_image("team/kept:2")["Author"] == "Ada"
        update = able(backend, Update)
        before = await update.limits(ref)
        assert before.memory == 64 << 20
        try:
            await update.update(ref, before, replace(before, memory=128 << 20))
        except ActionError as error:
            assert "podman" in str(error)
        else:
            assert podman.client.inspect_container(ref.id)["HostConfig"]["Memory"] == 128 << 20


def newer(podman: PrivatePodman, content: str, *changes: str) -> str:
    podman.client.import_image_from_data(root_archive(content), repository="app", changes=list(changes))
    return str(podman.client.inspect_image("app:latest")["Id"])


async def test_recreation_keeps_settings_and_puts_the_old_one_back(podman: PrivatePodman) -> None:
    newer(podman, "old")
    old = podman.client.create_container(
        "app:latest",
        IDLE,
        name="shop",
        environment={"MODE": "old"},
        labels={"team": "shop"},
        volumes=["/anonymous"],
        host_config=podman.client.create_host_config(
            network_mode="none", binds=["shop-data:/data"], mem_limit="64m", restart_policy={"Name": "always"}
        ),
    )["Id"]
    podman.client.start(old)
    made = podman.client.exec_create(old, ["sh", "-c", "echo precious > /anonymous/it"])
    podman.client.exec_start(made["Id"])
    before = podman.client.inspect_container(old)
    image = newer(podman, "new")
    quick = Recreation(observe=0.6)
    async with connected(podman.url, "podman") as backend:
        recreate = able(backend, Recreate)
        assert (await recreate.existing(container_ref(old, "podman"))).refusal == ""
        assert "anew" in await recreate.recreate(container_ref(old, "podman"), quick, Heard())
        after = podman.client.inspect_container("shop")
        assert after["Id"] != old
        assert after["State"]["Running"]
        assert after["Image"].removeprefix("sha256:") == image.removeprefix("sha256:")
        assert "MODE=old" in after["Config"]["Env"]
        assert after["Config"]["Labels"]["team"] == "shop"
        for key in ("Memory", "RestartPolicy"):
            assert after["HostConfig"][key] == before["HostConfig"][key]
        mounts = [{mount["Destination"]: mount["Name"] for mount in answer["Mounts"]} for answer in (before, after)]
        assert mounts[0] == mounts[1]
        reading = podman.client.exec_create("shop", ["cat", "/anonymous/it"])
        assert podman.client.exec_start(reading["Id"]).strip() == b"precious"
        newer(podman, "bad", 'ENTRYPOINT ["false"]')
        with pytest.raises(ActionError, match="the old shop runs again"):
            await recreate.recreate(container_ref(after["Id"], "podman"), Recreation(observe=30), Heard())
    entries = podman.client.containers(all=True)
    assert [entry["Id"] for entry in entries] == [after["Id"]]
    assert podman.state(after["Id"]) == "running"
