"""Where published ports are reached from here, and what opens them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.particulars import PortEntry
from tui.addresses import address_of, engine_host
from tui.browser import browser_command, open_url

LOCAL = "unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("port", "engine", "url"),
    [
        (PortEntry(80, "tcp", "0.0.0.0", 8080), LOCAL, "http://localhost:8080"),
        (PortEntry(80, "tcp", "::", 8080), LOCAL, "http://localhost:8080"),
        (PortEntry(443, "tcp", "", 9000), LOCAL, "https://localhost:9000"),
        (PortEntry(80, "tcp", "127.0.0.1", 8080), LOCAL, "http://127.0.0.1:8080"),
        (PortEntry(80, "tcp", "::1", 8080), LOCAL, "http://[::1]:8080"),
        (PortEntry(80, "tcp", "10.0.0.7", 8080), "ssh://ops@web-02", "http://10.0.0.7:8080"),
        (PortEntry(80, "tcp", "0.0.0.0", 8080), "ssh://ops@web-02:2222", "http://web-02:8080"),
        (PortEntry(80, "tcp", "", 8443), "tcp://[fd00::5]:2376", "https://[fd00::5]:8443"),
        (PortEntry(80, "tcp", "127.0.0.1", 8080), "tcp://127.0.0.1:2375", "http://127.0.0.1:8080"),
        (PortEntry(80, "tcp", "", 8080), "tcp://localhost:2375", "http://localhost:8080"),
    ],
)
def test_the_url_names_the_machine_the_container_is_on(port, engine, url):
    address = address_of(port, engine)
    assert address is not None
    assert (address.url, address.reason) == (url, "")


def test_what_a_browser_cannot_reach_has_a_reason():
    lonely = address_of(PortEntry(80, "tcp", "127.0.0.1", 8080), "ssh://web-02")
    assert lonely is not None
    assert (lonely.url, lonely.reason) == ("", "published at 127.0.0.1 of web-02 alone")
    datagrams = address_of(PortEntry(53, "udp", "", 53), LOCAL)
    assert datagrams is not None
    assert (datagrams.text, datagrams.url) == ("localhost:53", "")


@pytest.mark.parametrize(
    ("engine", "machine"),
    [(LOCAL, ""), ("ssh://ops@web-02", "web-02"), ("qemu+ssh://root@vm-01:22/system", "vm-01"), ("qemu:///system", "")],
)
def test_whose_files_an_engine_reads(engine: str, machine: str) -> None:
    assert engine_host(engine) == machine


@pytest.mark.parametrize("port", [PortEntry(80, "tcp"), PortEntry(80, "tcp", "", 8080, live=False)])
def test_what_is_not_published_now_has_no_address(port):
    assert address_of(port, LOCAL) is None


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> Path:
    place = folder / name
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place


URL = "http://localhost:8080"


def test_without_a_display_nothing_is_opened(programs):
    program(programs, "xdg-open")
    assert browser_command(URL) is None


def test_the_users_browser_goes_first_and_text_browsers_never(programs, monkeypatch):
    program(programs, "xdg-open")
    program(programs, "lynx")
    program(programs, "helper")
    monkeypatch.setenv("BROWSER", "lynx:missing:helper --tab %s --new")
    assert browser_command(URL) == ["helper", "--tab", URL, "--new"]
    monkeypatch.setenv("BROWSER", "lynx")
    assert browser_command(URL) is None
    monkeypatch.setenv("DISPLAY", ":0")
    assert browser_command(URL) == ["xdg-open", URL]


def test_an_alternative_that_is_a_text_browser_is_passed_over(programs, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    program(programs, "w3m")
    (programs / "x-www-browser").symlink_to("w3m")
    assert browser_command(URL) is None


async def test_a_browser_is_started_without_our_terminal(programs, monkeypatch, tmp_path):
    told = tmp_path / "told"
    program(programs, "helper", f'echo "$1" > {told}; [ -t 0 ] && echo terminal >> {told}; exec /bin/sleep 3')
    monkeypatch.setenv("BROWSER", "helper")
    assert await open_url(URL)
    assert told.read_text() == f"{URL}\n"


async def test_one_that_fails_at_once_opened_nothing(programs, monkeypatch):
    program(programs, "helper", "exit 3")
    monkeypatch.setenv("BROWSER", "helper")
    assert not await open_url(URL)
