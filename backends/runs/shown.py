"""An existing container's settings as a RunSpec to be shown and edited, from the engine's own answer.

Shapes as in the Docker Engine API 1.41, `GET /containers/{id}/json` and `GET /images/{name}/json`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.runs import entries, sizes
from backends.runs.spec import RunSpec
from backends.secrets import MASK, is_secret_entry, mask_text
from backends.text import clean

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")

Answer = Mapping[str, Any]


@dataclass(slots=True)
class Shown:
    """A container's settings as shown: cleaned, secrets masked. The maps lead back from a shown entry to the real one.

    A variable, a label or a volume that is still as shown therefore stays exactly as it is.
    """

    spec: RunSpec
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    binds: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    anonymous: dict[str, str] = field(default_factory=dict)
    """Name of the anonymous volume by its shown entry, which is its path in the container."""


def shown(container: Answer, image: Answer | None) -> Shown:
    """`image`: the answer for the image it was made from, whose defaults are no settings of its own; None: gone."""
    config, host = _dict(container, "Config"), _dict(container, "HostConfig")
    defaults = _dict(image or {}, "Config")
    own = own_config(config, defaults)
    found = Shown(RunSpec())
    for entry in own.get("Env") or ():
        found.environment[_masked(str(entry))] = str(entry)
    for key, value in (own.get("Labels") or {}).items():
        found.labels[_masked(f"{key}={value}")] = (key, value)
    _volumes(container, found)
    network = str(host.get("NetworkMode") or "")
    hostname = str(config.get("Hostname") or "")
    found.spec = RunSpec(
        image=clean(str(config.get("Image") or ""), 512),
        name=clean(str(container.get("Name") or "").removeprefix("/"), 256),
        command=_command(own.get("Cmd") or ()),
        entrypoint=_command(_words(own.get("Entrypoint"))),
        ports=_ports(host),
        environment=tuple(found.environment),
        volumes=(*found.binds, *found.mounts, *found.anonymous),
        network="" if network == "default" else clean(network, 256),
        restart=_restart(_dict(host, "RestartPolicy")),
        cpus=_cpus(host),
        memory=int(host.get("Memory") or 0) or None,
        labels=tuple(found.labels),
        user=clean(str(own.get("User") or ""), 256),
        workdir=clean(str(own.get("WorkingDir") or ""), 1024),
        hostname="" if hostname == short_id(container) or network == "host" else clean(hostname, 256),
        interactive=bool(config.get("OpenStdin")),
        tty=bool(config.get("Tty")),
        remove=bool(host.get("AutoRemove")),
        start=_running(container),
    )
    return found


def own_config(config: Answer, defaults: Answer) -> dict[str, Any]:
    """A container's configuration without what it has from its image, so that another image's defaults apply."""
    own = dict(config)
    same_entrypoint = _words(config.get("Entrypoint")) == _words(defaults.get("Entrypoint"))
    if same_entrypoint:
        own.pop("Entrypoint", None)
        # With an entrypoint of its own the engine takes no command from the image
        if list(config.get("Cmd") or ()) == list(defaults.get("Cmd") or ()):
            own.pop("Cmd", None)
    elif not _words(config.get("Entrypoint")):
        # `--entrypoint ""`; without a word the image's would apply
        own["Entrypoint"] = [""]
    for key in ("User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "ArgsEscaped", "OnBuild"):
        if config.get(key) == defaults.get(key) or (key == "WorkingDir" and _is_root(config) and _is_root(defaults)):
            own.pop(key, None)
    theirs = set(defaults.get("Env") or ())
    own["Env"] = [entry for entry in config.get("Env") or () if entry not in theirs]
    for key in ("Labels", "ExposedPorts", "Volumes"):
        base = defaults.get(key) or {}
        own[key] = {
            name: value for name, value in (config.get(key) or {}).items() if name not in base or base[name] != value
        }
    return own


def short_id(container: Answer) -> str:
    """What an engine calls a container, in its hostname and its names in networks, where nothing else was said."""
    return str(container.get("Id") or "")[:12]


def anonymous_volumes(container: Answer) -> dict[str, tuple[str, bool]]:
    """(name, writable) of its anonymous volumes by their path in the container."""
    named = {bind.split(":")[0] for bind in _dict(container, "HostConfig").get("Binds") or ()}
    return {
        str(mount["Destination"]): (str(mount["Name"]), bool(mount.get("RW", True)))
        for mount in container.get("Mounts") or ()
        if mount.get("Type") == "volume"
        and _ANONYMOUS.fullmatch(str(mount.get("Name") or ""))
        and mount["Name"] not in named
    }


def _is_root(config: Answer) -> bool:
    return config.get("WorkingDir") in {None, "", "/"}


def _volumes(container: Answer, found: Shown) -> None:
    host = _dict(container, "HostConfig")
    for bind in host.get("Binds") or ():
        found.binds[_bind_text(str(bind))] = str(bind)
    for mount in host.get("Mounts") or ():
        if mount.get("Source") and mount.get("Type") in {"bind", "volume"}:
            text = f"{mount['Source']}:{mount.get('Target')}{':ro' if mount.get('ReadOnly') else ''}"
            found.mounts[clean(text, 1024)] = dict(mount)
    for path, (name, _) in anonymous_volumes(container).items():
        found.anonymous[clean(path, 1024)] = name


def _bind_text(bind: str) -> str:
    """A bind as a user writes it; an anonymous volume's name, from an earlier recreation, stays as it is."""
    text = clean(bind, 1024)
    return text.removesuffix(":rw") if text.count(":") > 1 else text


def _masked(entry: str) -> str:
    text = clean(entry, 4096)
    secret = is_secret_entry(text)
    return f"{secret[0]}={MASK}" if secret else mask_text(text)


def _command(words: Iterable[object]) -> tuple[str, ...]:
    line = shlex.join(clean(str(word), 4096) for word in words)
    masked = mask_text(line)
    try:
        return tuple(shlex.split(masked))
    except ValueError:
        return (masked,)


def _ports(host: Answer) -> tuple[str, ...]:
    found = []
    for key, bindings in (host.get("PortBindings") or {}).items():
        port, _, protocol = str(key).partition("/")
        behind = "" if protocol in {"", "tcp"} else f"/{protocol}"
        for binding in bindings or ():
            address, chosen = str(binding.get("HostIp") or ""), str(binding.get("HostPort") or "")
            address = "" if address == "0.0.0.0" else f"[{address}]" if ":" in address else address  # noqa: S104
            front = f"{address}:" if address else ""
            chosen = "" if chosen == "0" else chosen
            found.append(f"{front}{chosen}:{port}{behind}" if chosen or front else f"{port}{behind}")
    return tuple(clean(entry, 128) for entry in found)


def _restart(policy: Answer) -> str:
    name = str(policy.get("Name") or "no")
    retries = int(policy.get("MaximumRetryCount") or 0)
    text = f"{name}:{retries}" if name == "on-failure" and retries else name
    try:
        entries.read_restart(text)
    except ValueError:
        return "no"
    return text


def _cpus(host: Answer) -> float | None:
    if host.get("NanoCpus"):
        return float(sizes.write_cpus(int(host["NanoCpus"]) / 10**9))
    quota = int(host.get("CpuQuota") or 0)
    period = int(host.get("CpuPeriod") or 0) or 100_000
    return round(quota / period, 3) if quota > 0 else None


def _running(container: Answer) -> bool:
    state = _dict(container, "State")
    return bool(state.get("Running") or state.get("Restarting"))


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(word) for word in value] if isinstance(value, (list, tuple)) else []


def _dict(answer: Answer, key: str) -> dict[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, dict) else {}
