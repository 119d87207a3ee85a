"""Which engine boxtop would use, for each way a user names one."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from backends.base import EngineError
from backends.docker.locate import Endpoint, Tls, candidates, podman_socket
from backends.docker.transport import ssh_command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".docker").mkdir()
    return tmp_path


def env(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), **more}


def context(home: Path, name: str, host: str, *, current: bool = False, tls: bool = False, **docker: object) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker/contexts/meta" / digest
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, **docker}}})
    )
    if tls:
        files = home / ".docker/contexts/tls" / digest / "docker"
        files.mkdir(parents=True)
        for file in ("ca.pem", "cert.pem", "key.pem"):
            (files / file).write_text("x")
    if current:
        (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def only(url: str, environment: dict[str, str]) -> Endpoint:
    (found,) = candidates(url, environment)
    return found


def test_sockets_are_tried_in_the_order_docker_rootless_podman(home: Path) -> None:
    paths = [endpoint.path for endpoint in candidates("docker://", env(home))]
    docker = [path for path in paths if "podman" not in path]
    assert paths[: len(docker)] == docker
    assert docker[0] == "/var/run/docker.sock"
    assert f"{home}/run/docker.sock" in docker
    assert f"{home}/.docker/run/docker.sock" in docker
    assert {"/run/podman/podman.sock", f"{home}/run/podman/podman.sock"} == set(paths[len(docker) :])


def test_a_socket_under_two_names_is_tried_once(home: Path) -> None:
    paths = [os.path.realpath(endpoint.path) for endpoint in candidates("docker://", env(home))]
    assert len(paths) == len(set(paths))


def test_podman_is_left_to_another_address_that_leads_to_it(home: Path) -> None:
    own = f"{home}/run/podman/podman.sock"

    def podmans(*beside: str, **more: str) -> set[str]:
        return {found.path for found in candidates("docker://", env(home, **more), beside) if found.podman}

    assert podmans("docker://", "tcp://far:2375") == {"/run/podman/podman.sock", own}
    assert podmans("podman://") == set()
    assert podmans(f"unix://{own}") == {"/run/podman/podman.sock"}
    assert len(podmans("podman://", CONTAINER_HOST="ssh://me@box")) == 2
    # Docker's own places stay
    assert candidates("docker://", env(home), ["podman://"])[0].path == "/var/run/docker.sock"


def test_podmans_own_sockets(home: Path) -> None:
    found = candidates("podman://", env(home))
    assert all(endpoint.podman and "podman" in endpoint.path for endpoint in found)
    assert only("podman://", env(home, CONTAINER_HOST="ssh://me@box/run/podman.sock")).url == (
        "ssh://me@box/run/podman.sock"
    )


def test_docker_host_comes_before_contexts(home: Path) -> None:
    context(home, "there", "tcp://there:2375", current=True)
    found = only("docker://", env(home, DOCKER_HOST="unix:///here.sock", DOCKER_CONTEXT="there"))
    assert (found.url, found.origin) == ("unix:///here.sock", "DOCKER_HOST")


def test_the_context_variable_comes_before_the_configs(home: Path) -> None:
    context(home, "one", "unix:///one.sock", current=True)
    context(home, "two", "ssh://me@two:2222")
    assert only("docker://", env(home)).url == "unix:///one.sock"
    found = only("docker://", env(home, DOCKER_CONTEXT="two"))
    assert (found.url, found.origin) == ("ssh://me@two:2222", "context two")


def test_the_default_context_is_the_sockets(home: Path) -> None:
    context(home, "one", "unix:///one.sock", current=True)
    assert len(candidates("docker://", env(home, DOCKER_CONTEXT="default"))) > 1


def test_docker_config_moves_the_contexts(home: Path, tmp_path: Path) -> None:
    context(home, "one", "unix:///one.sock", current=True)
    moved = tmp_path / "moved"
    (home / ".docker").rename(moved)
    assert only("docker://", env(home, DOCKER_CONFIG=str(moved))).url == "unix:///one.sock"


def test_a_contexts_certificates_are_used(home: Path) -> None:
    context(home, "safe", "tcp://safe:2376", current=True, tls=True)
    digest = hashlib.sha256(b"safe").hexdigest()
    files = home / ".docker/contexts/tls" / digest / "docker"
    assert only("docker://", env(home)).tls == Tls(
        str(files / "ca.pem"), str(files / "cert.pem"), str(files / "key.pem"), verify=True
    )


def test_a_context_may_skip_verification_and_a_plain_one_has_none(home: Path) -> None:
    context(home, "lax", "tcp://lax:2376", tls=True, SkipTLSVerify=True)
    context(home, "plain", "tcp://plain:2375")
    lax = only("docker://", env(home, DOCKER_CONTEXT="lax")).tls
    assert lax is not None
    assert not lax.verify
    assert only("docker://", env(home, DOCKER_CONTEXT="plain")).tls is None


def test_a_missing_context_is_said(home: Path) -> None:
    with pytest.raises(EngineError, match="'nowhere' does not exist") as error:
        candidates("docker://", env(home, DOCKER_CONTEXT="nowhere"))
    assert "docker context ls" in error.value.remedy


@pytest.mark.parametrize("text", ["", "{", "[]", '{"currentContext": 3}'])
def test_a_broken_config_is_no_context(home: Path, text: str) -> None:
    (home / ".docker/config.json").write_text(text)
    assert len(candidates("docker://", env(home))) > 1


def test_tls_from_the_environment(home: Path) -> None:
    for file in ("ca.pem", "cert.pem", "key.pem"):
        (home / file).write_text("x")
    environment = env(home, DOCKER_HOST="tcp://far", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(home))
    found = only("docker://", environment)
    assert found.url == "tcp://far:2376"
    assert found.tls == Tls(str(home / "ca.pem"), str(home / "cert.pem"), str(home / "key.pem"))


@pytest.mark.parametrize(
    ("given", "url", "tls"),
    [
        ("tcp://h:1234", "tcp://h:1234", False),
        ("http://h", "tcp://h:2375", False),
        ("https://h:99", "tcp://h:99", True),
        ("tcp://[::1]:2375", "tcp://[::1]:2375", False),
        ("unix:///run/x.sock", "unix:///run/x.sock", False),
        ("ssh://me@h:22", "ssh://me@h:22", False),
    ],
)
def test_addresses_given(home: Path, given: str, url: str, tls: bool) -> None:
    found = only(given, env(home))
    assert (found.url, found.tls is not None) == (url, tls)


@pytest.mark.parametrize("host", ["npipe:////./pipe/docker_engine", "fd://", "tcp://:2375", "nonsense"])
def test_what_cannot_be_reached_is_said(home: Path, host: str) -> None:
    with pytest.raises(EngineError, match="DOCKER_HOST names"):
        candidates("docker://", env(home, DOCKER_HOST=host))


def test_podmans_socket_is_found_where_it_is(home: Path) -> None:
    socket = home / "run/podman/podman.sock"
    found = podman_socket(env(home))
    assert found in {None, "/run/podman/podman.sock"}
    socket.parent.mkdir(parents=True)
    socket.touch()
    assert podman_socket(env(home)) in {str(socket), "/run/podman/podman.sock"}


def test_the_ssh_command_takes_no_options_from_the_address() -> None:
    command = ssh_command(Endpoint("ssh://me@box:2222", "--host"))
    assert command[:2] == ["ssh", "-T"]
    assert "BatchMode=yes" in command
    assert command[command.index("-l") + 1] == "me"
    assert command[command.index("-p") + 1] == "2222"
    assert command[-3:] == ["--", "box", "docker system dial-stdio"]
    path = ssh_command(Endpoint("ssh://box/run/a b;c.sock", "--host"))
    assert path[-1] == "docker --host 'unix:///run/a b;c.sock' system dial-stdio"
    podman = ssh_command(Endpoint("ssh://box", "CONTAINER_HOST", podman=True))
    assert podman[-1] == "podman system dial-stdio"
