"""Podman's logs over the Docker API."""

from __future__ import annotations

import time

import pytest

from backends.abilities.logs import LogPosition
from backends.base import ActionError
from tests.engines.docker_backend import connected, container_ref
from tests.engines.podman_engine import PrivatePodman
from tests.engines.test_docker_logs import STAY, Reading, logs_of, whole

pytestmark = pytest.mark.podman


async def test_podmans_logs(podman: PrivatePodman):
    script = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; echo err >&2"
    file = {"log_config": {"type": "k8s-file"}}
    box = podman.run("box", ["sh", "-c", script + "; sleep 1; echo late" + STAY], host=file)
    ref = container_ref(box, "podman")
    async with connected(podman.url, "podman") as backend:
        logs = logs_of(backend)
        async with Reading(logs.follow(ref)) as reading:
            await reading.until(lambda: "late" in reading.texts, "the lines so far, and one more")
            assert [text for text, error in reading.lines if not error] == [*(f"line {i}" for i in range(200)), "late"]
            assert [text for text, error in reading.lines if error] == ["err"]
            assert all(abs(stamp - time.time_ns()) < 60e9 for stamp in reading.stamps)
            podman.client.kill(box)
            await reading.until(lambda: reading.ended, "the stream to end with the container")
        last = await whole(logs, box, tail=3)
        assert last.texts == reading.texts[-3:]
        late = reading.stamps[-1]
        assert (await whole(logs, box, since=late)).texts == ["late"]
        # Podman 4 tells whole seconds, so that many lines share a time
        known = reading.stamps[100:].count(reading.stamps[100])
        older = await logs.before(ref, LogPosition(reading.stamps[100], known), 10, newer=len(reading.stamps) - 100)
        assert [text.decode() for text in older.texts] == reading.texts[90:100]
        seen = reading.stamps[:51].count(reading.stamps[50])
        again = await whole(logs, box, after=LogPosition(reading.stamps[50], seen))
        assert again.texts == reading.texts[51:]
        assert not again.gaps
        idle = podman.run("idle", host=file)
        async with Reading(logs.follow(container_ref(idle, "podman"))) as silent:
            podman.client.kill(idle)
            await silent.until(lambda: silent.ended, "the end of a silent log")
        deaf = podman.run("deaf", ["echo", "unheard"], host={"log_config": {"type": "none"}})
        with pytest.raises(ActionError, match="log driver is 'none'"):
            await whole(logs, deaf)
