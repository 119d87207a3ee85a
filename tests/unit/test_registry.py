"""Addresses of engines: what users write, what they get, and what they are told."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backends.base import Backend, EngineError, EngineSettings
from backends.docker.errors import passed_over
from backends.docker.locate import Endpoint
from backends.registry import SCHEMES, backend_class, default_hosts, open_backend, parse_host
from tests.hostile_engine import PODMAN, HostileEngine

EXAMPLES = {
    "docker": "docker://",
    "podman": "podman://",
    "unix": "unix:///nowhere/docker.sock",
    "tcp": "tcp://web-02:2376",
    "http": "http://web-02:2375",
    "https": "https://web-02:2376",
    "ssh": "ssh://me@web-02",
    "virtualbox": "virtualbox://",
    "libvirt": "libvirt://",
    "qemu": "qemu:///system",
    "qemu+unix": "qemu+unix:///system?socket=/run/x",
    "qemu+ssh": "qemu+ssh://root@kvm-01/system",
    "qemu+tls": "qemu+tls://kvm-01/system",
    "test": "test:///default",
    "demo": "demo://",
}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_scheme_opens_a_backend(scheme: str) -> None:
    assert issubclass(backend_class(scheme), Backend)  # type: ignore[arg-type]
    backend = open_backend(EXAMPLES[scheme], EngineSettings())
    assert isinstance(backend, Backend)
    assert backend.engine
    assert urlsplit(backend.url).scheme == scheme
    await backend.close()


def test_no_sdk_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, json; import backends.registry as r; r.parse_host('docker'); r.default_hosts();"
        "r.open_backend('demo', r.EngineSettings()); r.kinds_at('docker://');"
        "print(json.dumps(sorted({'docker', 'virtualbox', 'psutil', 'requests'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("docker", "docker://"),
        (" Podman ", "podman://"),
        ("virtualbox", "virtualbox://"),
        ("demo", "demo://"),
        ("DOCKER://", "docker://"),
        ("docker:///", "docker://"),
        ("/run/user/1000/docker.sock", "unix:///run/user/1000/docker.sock"),
        ("~/d.sock", f"unix://{Path.home()}/d.sock"),
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix:///with space/d.sock", "unix:///with space/d.sock"),
        ("tcp://web-02:2376/", "tcp://web-02:2376"),
        ("tcp://web-02", "tcp://web-02"),
        ("tcp://[::1]:2375", "tcp://[::1]:2375"),
        ("ssh://me@web-02:2222", "ssh://me@web-02:2222"),
        ("ssh://web-02/run/user/1000/docker.sock", "ssh://web-02/run/user/1000/docker.sock"),
        ("https://web-02:2376", "https://web-02:2376"),
        ("demo://docker?containers=10", "demo://docker?containers=10"),
    ],
)
def test_addresses_are_normalised_and_stay_so(text: str, url: str) -> None:
    assert parse_host(text) == url
    assert parse_host(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "dockerr",
        "web-02",
        "web-02:2376",
        "ftp://web-02",
        "file:///etc/passwd",
        "unix://",
        "unix://relative.sock",
        "unix:///",
        "~nobody-of-that-name/docker.sock",
        "docker://me:hunter2@web-02",
        "tcp://me:hunter2@web-02:port",
        "docker://web-02",
        "virtualbox://x",
        "qemu://",
        "qemu://kvm-01/system",
        "qemu+ssh:///system",
        "qemu+ssh://-oProxyCommand=x/system",
        "qemu+ssh://root:secret@kvm-01/system",
        "qemu+ssh://kvm-01/system?netcat=/tmp/x",
        "qemu+ssh://kvm-01/system?command=/tmp/x",
        "tcp://",
        "tcp://:2375",
        "tcp://web-02:port",
        "tcp://web-02:99999",
        "tcp://web-02:2375/containers",
        "tcp://me:hunter2@web-02:2375",
        "http://web-02:1?x=y",
        "tcp://[::1:2375",
        "ssh://-oProxyCommand=x",
        "ssh://-l@web-02",
        "ssh://me:hunter2@web-02",
        "ssh://we b",
        "ssh://web-02\nHost x",
        "ssh://web-02;reboot",
        "ssh://$(reboot)",
        "docker\x1b[31m://",
        "demo://nowhere",
    ],
)
def test_bad_addresses_are_told_in_one_line(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_host(text)
    said = str(caught.value)
    assert said.isprintable()
    assert "hunter2" not in said
    if "://" not in text and "~" not in text:
        assert "ssh://" in said


@pytest.mark.parametrize(
    ("url", "taken", "key"),
    [
        ("docker", (), "docker"),
        ("docker", ("docker",), "docker#2"),
        ("unix:///a/docker.sock", ("docker", "docker#2"), "docker#3"),
        ("unix:///run/podman/podman.sock", (), "podman"),
        ("ssh://me@web-02", ("docker",), "docker@web-02"),
        ("tcp://web-02:2376", ("docker@web-02",), "docker@web-02#2"),
        ("tcp://[::1]:2376", (), "docker@::1"),
        ("virtualbox", (), "virtualbox"),
        ("demo://docker", (), "docker"),
        ("demo", (), "demo"),
    ],
)
async def test_keys_are_short_and_unique(url: str, taken: tuple[str, ...], key: str) -> None:
    backend = open_backend(url, EngineSettings(), taken)
    assert backend.engine == key
    await backend.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No engine of this machine is seen but those below the folder."""
    import backends.docker.locate as locate

    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(locate, "DOCKER_SOCKETS", (str(tmp_path / "docker.sock"),))
    monkeypatch.setattr(locate, "PODMAN_SOCKET", str(tmp_path / "podman.sock"))
    return tmp_path


def test_podman_is_an_engine_of_its_own_only_beside_docker(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_hosts() == ["docker://", "virtualbox://", "libvirt://"]
    (home / "podman.sock").touch()
    assert default_hosts() == ["docker://", "virtualbox://", "libvirt://"]
    (home / "docker.sock").touch()
    assert default_hosts() == ["docker://", "podman://", "virtualbox://", "libvirt://"]
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/podman.sock")
    assert default_hosts() == ["docker://", "virtualbox://", "libvirt://"]
    monkeypatch.setenv("DOCKER_HOST", "ssh://web-02")
    assert default_hosts() == ["docker://", "podman://", "virtualbox://", "libvirt://"]
    monkeypatch.setenv("DOCKER_HOST", "fish://web-02")
    assert default_hosts() == ["docker://", "podman://", "virtualbox://", "libvirt://"]


def test_the_podman_docker_link_is_podman(home: Path) -> None:
    (home / "podman.sock").touch()
    (home / "docker.sock").symlink_to(home / "podman.sock")
    assert default_hosts() == ["docker://", "virtualbox://", "libvirt://"]


@pytest.mark.parametrize("vanished", [False, True])
async def test_a_dead_docker_does_not_list_podman_twice(home: Path, vanished: bool) -> None:
    """Docker's socket file is left over, and may go away later, while Podman runs and is an engine of its own."""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(home / "docker.sock"))
    answers = {"/version": PODMAN, "/containers/json": [], "/images/json": [], "/info": {}}
    with HostileEngine(home / "podman.sock", answers):
        urls = [url for url in default_hosts() if url not in {"virtualbox://", "libvirt://"}]
        assert urls == ["docker://", "podman://"]
        docker, podman = [open_backend(url, EngineSettings()) for url in urls]
        if vanished:
            (home / "docker.sock").unlink()
        with pytest.raises(EngineError) as error:
            await docker.connect()
        assert str(home / "docker.sock") in error.value.reason
        assert "Podman's" not in error.value.reason
        assert (await podman.connect()).product == "podman"
        # Where nobody else shows it, Podman is what `docker` finds
        await podman.close()
        assert (await docker.connect()).product == "podman"
        await docker.close()


async def test_only_a_place_that_is_there_and_fails_is_noted(home: Path) -> None:
    with HostileEngine(home / "podman.sock", {"/version": PODMAN, "/containers/json": [], "/info": {}}):
        backend = open_backend("docker", EngineSettings())
        assert not [note for note in (await backend.connect()).notes if "passed over" in note]
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(home / "docker.sock"))
        (noted,) = [note for note in (await backend.connect()).notes if "passed over" in note]
        assert f"{home}/docker.sock refuses connections" in noted
        await backend.close()


def test_a_socket_in_a_closed_folder_is_not_noted(tmp_path: Path) -> None:
    denied = EngineError("permission denied", "join group docker")
    hidden, seen = (Endpoint(f"unix://{tmp_path}/{name}", "default") for name in ("hidden.sock", "seen.sock"))
    (tmp_path / "seen.sock").touch()
    assert passed_over([(hidden, denied), (seen, denied)]) == ("passed over: permission denied (join group docker)",)
