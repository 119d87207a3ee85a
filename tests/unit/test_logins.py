from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from backends import logins
from backends.base import ActionError
from backends.logins import hosts_with_login, login_for


def config(folder: Path, **data: Any) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(data))
    return {"DOCKER_CONFIG": str(folder), "HOME": str(folder)}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_login_of_the_config_file(tmp_path):
    auths = {
        "registry.example.com:5000": {"auth": encoded("ada:with:colon")},
        "https://old.example.com/v1/": {"auth": encoded("bob:pass\0\0")},
        "https://index.docker.io/v1/": {"identitytoken": "tok"},
        "empty.example.com": {},
        "broken.example.com": {"auth": "%%%"},
    }
    environment = config(tmp_path, auths=auths)
    found = login_for("registry.example.com:5000", environment=environment)
    assert (found.username, found.password) == ("ada", "with:colon")
    assert login_for("old.example.com", environment=environment).password == "pass"
    hub = login_for("docker.io", environment=environment)
    assert json.loads(base64.urlsafe_b64decode(hub.header)) == {
        "serveraddress": "https://index.docker.io/v1/",
        "identitytoken": "tok",
    }
    for host in ("empty.example.com", "broken.example.com", "other.example.com"):
        assert login_for(host, environment=environment) is None
    assert "registry.example.com:5000" in hosts_with_login(environment=environment)
    assert "with:colon" not in repr(found)
    assert "tok" not in repr(hub)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"auths": 3, "credHelpers": [], "credsStore": 7}'])
def test_a_config_file_that_is_none_holds_no_login(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    assert login_for("x.example.com", environment=environment) is None
    assert hosts_with_login(environment=environment) == set()


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_helper_gives_a_password_or_a_token(tmp_path, monkeypatch):
    environment = config(tmp_path, credsStore="test")
    helper(
        tmp_path, monkeypatch, """read host; echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"for $host\\"}" """
    )
    assert login_for("x.example.com", environment=environment).token == "for x.example.com"
    assert login_for("docker.io", environment=environment).token == "for https://index.docker.io/v1/"


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(tmp_path, monkeypatch):
    auths = {"x.example.com": {"auth": encoded("ada:file")}}
    environment = config(tmp_path, credsStore="test", auths=auths)
    helper(tmp_path, monkeypatch, 'echo "credentials not found in native keychain"; exit 1')
    assert login_for("x.example.com", environment=environment).password == "file"


@pytest.mark.parametrize(
    ("name", "script", "reason"),
    [
        ("test", 'echo "the store is locked"; exit 1', "docker-credential-test: the store is locked"),
        ("test", "echo nonsense", "something that is no login"),
        ("test", "exec sleep 60", "did not answer"),
        ("absent", "", "docker-credential-absent is not installed"),
        ("../evil", "", "cannot be run"),
    ],
)
def test_a_helper_that_fails_is_named_with_its_reason(tmp_path, monkeypatch, name, script, reason):
    environment = config(tmp_path, credHelpers={"x.example.com": name})
    monkeypatch.setattr(logins, "_HELPER_TIMEOUT", 0.3)
    helper(tmp_path, monkeypatch, script)
    with pytest.raises(ActionError, match=reason):
        login_for("x.example.com", environment=environment)
    assert login_for("y.example.com", environment=environment) is None
