"""A machine without any engine, and one whose engine is closed to the user: what is said, and the demo."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.run_cli import COMMAND, environment
from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker
from tests.engines.require import need

HIDE = """
mount -t tmpfs none /run
for folder in /usr/lib/virtualbox /usr/lib64/virtualbox /usr/local/lib/virtualbox /opt/VirtualBox; do
    [ ! -d "$folder" ] || mount -t tmpfs none "$folder"
done
if [ -n "$SOCKET" ]; then
    touch /run/docker.sock
    mount --bind "$SOCKET" /run/docker.sock
fi
PATH=/nonexistent exec "$@"
"""
"""Runs a command where no engine of this machine can be seen, but one at $SOCKET in Docker's own place."""
BARE = ("unshare", "--mount", "sh", "-ec", HIDE, "sh")
NOBODY = 65534


@pytest.fixture(scope="module", autouse=True)
def _hidden_engines() -> None:
    need(os.geteuid() == 0, "hiding this machine's engines needs root")
    for program in ("unshare", "setpriv"):
        need(bool(shutil.which(program)), f"{program} not found: apt-get install util-linux")


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
def test_the_screen_says_what_was_looked_for_and_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    with Boxtop(tmp_path, prefix=BARE, size=size, SOCKET="") as app:
        app.wait_text("docker: ", "/run/docker.sock", "Press D to see boxtop at work on simulated engines.")
        # the host is live all the same
        app.wait_text("cpu ", "mem ", "%")
        app.press("2")
        app.wait_text("virtualbox: VirtualBox is not installed", "install VirtualBox from")
        app.press("D")
        app.wait_text("DEMO")
        app.wait_row("build-win11", "up ")
        app.press("q")
        assert app.wait_end() == 0
        app.wait_restored()
        assert b"Traceback" not in app.raw


def test_one_listing_is_status_3(tmp_path: Path) -> None:
    done = subprocess.run(
        [*BARE, *COMMAND, "ls"],
        env=environment(tmp_path, SOCKET=""),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert "/run/docker.sock" in done.stderr
    assert "VirtualBox is not installed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.docker
def test_a_socket_closed_to_the_user_names_its_group(tmp_path: Path, docker: PrivateDocker) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv
    group = grp.getgrgid(docker.socket.stat().st_gid).gr_name
    os.chown(tmp_path, NOBODY, NOBODY)
    # the capability lets it read the checkout wherever that is, and opens no socket
    rights = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    nobody = (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights)
    with Boxtop(tmp_path, prefix=(*BARE, *nobody), SOCKET=str(docker.socket)) as app:
        app.wait_text("docker: permission denied on /var/run/docker.sock")
        app.wait_text(f"usermod -aG {group}" if group != "root" else "groupadd docker")
        app.press("q")
        assert app.wait_end() == 0
        app.wait_restored()
