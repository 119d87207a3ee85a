"""Logs in the program on a real engine: through restarts, re-creations and losses, and under floods."""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path

import pytest

from tests.bench.logs import SOURCES, burst, script, stamp_of_last, steady
from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker, wait_until

pytestmark = pytest.mark.docker

COUNTING = ["sh", "-c", "trap 'exit 0' TERM; echo begin $(cat /content)x; while :; do sleep 1000 & wait; done"]


def test_it_goes_on_through_a_restart_a_recreation_and_a_loss_of_the_engine(
    tmp_path: Path, docker: PrivateDocker
) -> None:
    box = docker.run("box", COUNTING)
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("box", "up ")
        app.press("l")
        app.wait_text("Logs  box", "begin x", "following")
        docker.client.restart(box, timeout=5)
        app.wait_for(lambda: app.screen().count("begin x") == 2, "the second start's line")
        docker.client.stop(box, timeout=5)
        app.wait_text("box is exited")
        docker.remove(box)
        app.wait_text("box is gone")
        docker.ensure_image("other:1", "other")
        box = docker.run("box", COUNTING, image="other:1")
        app.wait_text("box was created anew", "begin otherx")
        docker.kill()
        app.wait_text("it goes on when the engine is back")
        docker.start()
        docker.client.start(box)
        app.wait_for(lambda: app.screen().count("begin otherx") == 2, "the line after the engine's return", 40)
        assert app.screen().count("begin x") == 2
        app.press("Esc")
        app.wait_text("1 Containers")
        app.press("q")
        assert app.wait_end() == 0


def test_a_burst_of_200_000_lines_shows_its_last_one_soon(tmp_path: Path, docker: PrivateDocker) -> None:
    box = docker.run("flood", script(burst(), "LAST-LINE"))
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("flood", "up ")
        app.press("l")
        app.wait_text("Logs  flood", "ready")
        before = _memory(app.pid)
        docker.client.kill(box, "SIGUSR1")
        app.wait_text("LAST-LINE", seconds=60)
        late = time.time() - stamp_of_last(docker, box)
        more = _memory(app.pid) - before
        print(f"last line after {late:.2f} s, {more / 1e6:.1f} MB more")
        assert late < 30
        assert more < 30e6


def test_ten_merged_floods_leave_the_keys_at_work(tmp_path: Path, docker: PrivateDocker) -> None:
    names = [f"source-{number}" for number in range(SOURCES)]
    boxes = {name: docker.run(name, script(steady(seconds=3), f"LAST-{name}")) for name in names}
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_text(f"{SOURCES} of {SOURCES} running")
        app.press("*", "l")
        app.wait_text(f"Logs of {SOURCES}", "following", names[0])
        for box in boxes.values():
            docker.client.kill(box, "SIGUSR1")
        keys = []
        for _ in range(6):
            shown = _times_shown(app)
            app.press("t")
            began = time.monotonic()
            app.wait_for(lambda shown=shown: _times_shown(app) != shown, "the times toggled", 30)  # type: ignore[misc]
            keys.append(time.monotonic() - began)
            time.sleep(0.2)
        wait_until(lambda: all(b"LAST" in docker.client.logs(box, tail=1) for box in boxes.values()), "all to end", 120)
        last = max((stamp_of_last(docker, box), name) for name, box in boxes.items())
        app.wait_text(f"LAST-{last[1]}", seconds=60)
        late = time.time() - last[0]
        print(f"last line after {late:.2f} s, keys {statistics.median(keys) * 1000:.0f} ms")
        assert late < 30
        assert statistics.median(keys) < 5.0
        assert re.search(r"[\d,]+ dropped", app.screen())
        app.press("q")
        assert app.wait_end() == 0
        assert not app.left_behind()


def _times_shown(app: Boxtop) -> bool:
    return bool(re.search(r"^\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ", app.screen(), re.MULTILINE))


def _memory(pid: int) -> int:
    """PSS of the program, bytes."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
