"""The docker CLI's logins, read where it keeps them: config.json, or a credential helper it names. Nothing is stored.

Blocking: a helper may ask a password store.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.base import ActionError
from backends.references import HUB
from backends.text import clean

HUB_KEY = "https://index.docker.io/v1/"
"""What Docker Hub's login is kept under."""
_HELPER_TIMEOUT = 20.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Login:
    """What a registry wants to see. Never printed: its secrets are not in its representation."""

    server: str
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """An identity token, in place of a password."""

    @property
    def header(self) -> str:
        """The value of X-Registry-Auth (Docker Engine API, section Authentication)."""
        data = {"serveraddress": self.server}
        data |= {"identitytoken": self.token} if self.token else {"username": self.username, "password": self.password}
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode()


def login_for(host: str, *, podman: bool = False, environment: Mapping[str, str] | None = None) -> Login | None:
    """The login for a registry host, None where there is none. Raises ActionError when a credential helper fails."""
    environment = os.environ if environment is None else environment
    for file in _files(environment, podman=podman):
        found = _in_file(_read(file), host)
        if found is not None:
            return found
    return None


def hosts_with_login(*, podman: bool = False, environment: Mapping[str, str] | None = None) -> set[str]:
    """Hosts that config files have a login or a helper for; a credential store is not asked to list its own."""
    environment = os.environ if environment is None else environment
    found: set[str] = set()
    for file in _files(environment, podman=podman):
        config = _read(file)
        for section in ("auths", "credHelpers"):
            entries = config.get(section)
            if isinstance(entries, dict):
                found |= {_host(str(key)) for key in entries}
    return found


def _files(environment: Mapping[str, str], *, podman: bool) -> list[Path]:
    home = Path(environment.get("HOME", "") or Path.home())
    docker = Path(environment.get("DOCKER_CONFIG", "") or home / ".docker") / "config.json"
    if not podman:
        return [docker]
    named = environment.get("REGISTRY_AUTH_FILE", "")
    runtime = environment.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}"
    own = [Path(named)] if named else [Path(runtime) / "containers/auth.json", home / ".config/containers/auth.json"]
    return [*own, docker]


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _in_file(config: Mapping[str, Any], host: str) -> Login | None:
    key = HUB_KEY if host == HUB else host
    helpers = config.get("credHelpers")
    helper = helpers.get(key) or helpers.get(host) if isinstance(helpers, dict) else None
    helper = helper or config.get("credsStore")
    if isinstance(helper, str) and helper:
        found = _ask_helper(helper, key)
        if found is not None:
            return found
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return None
    for name in sorted(auths, key=lambda name: name != key):
        if _host(str(name)) == host and isinstance(auths[name], dict):
            login = _from_entry(str(name), auths[name])
            if login is not None:
                return login
    return None


def _from_entry(server: str, entry: Mapping[str, Any]) -> Login | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Login(server, token=token)
    username, password = entry.get("username"), entry.get("password")
    with suppress(ValueError):
        decoded = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
        if ":" in decoded:
            username, _, password = decoded.partition(":")
            password = password.rstrip("\0")
    if isinstance(username, str) and isinstance(password, str) and username:
        return Login(server, username, password)
    return None


def _ask_helper(name: str, server: str) -> Login | None:
    """`docker-credential-NAME get`, the server's name on its stdin (docker/docker-credential-helpers)."""
    if not _HELPER.fullmatch(name):
        raise ActionError(f"the docker CLI's config names a credential helper {clean(name, 60)!r}, which cannot be run")
    program = f"docker-credential-{name}"
    try:
        # No terminal of ours for it to ask on
        answer = subprocess.run(
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=_HELPER_TIMEOUT,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ActionError(f"{program} is not installed, which the docker CLI's config names for {server}") from None
    except subprocess.TimeoutExpired:
        raise ActionError(f"{program} did not answer in {_HELPER_TIMEOUT:.0f} s: unlock the credential store") from None
    except OSError as error:
        raise ActionError(f"{program} cannot be run: {error.strerror}") from None
    said = answer.stdout[:_LARGEST]
    if answer.returncode:
        text = clean((said or answer.stderr[:4096]).decode(errors="replace"), 200).strip()
        if "not found" in text:
            return None
        raise ActionError(f"{program}: {text or f'it ended with status {answer.returncode}'}")
    try:
        data = json.loads(said)
        username, secret = str(data["Username"]), str(data["Secret"])
    except (ValueError, KeyError, TypeError):
        raise ActionError(f"{program} answered with something that is no login") from None
    if not username and not secret:
        return None
    return Login(server, token=secret) if username == "<token>" else Login(server, username, secret)


def _host(key: str) -> str:
    """The host a key of `auths` is for: older CLIs wrote whole URLs."""
    host = key.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return HUB if host in {"index.docker.io", "registry-1.docker.io"} else host
