"""What an existing container is made anew with: all its settings as they are, but for those that were edited.

Nothing passes through a RunSpec but what was edited, so that settings it has no word for are kept, too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from backends.runs import body as bodies
from backends.runs import entries
from backends.runs.options import Body, apply_more
from backends.runs.shown import Answer, Shown, anonymous_volumes, own_config, short_id, shown
from backends.runs.spec import RunSpec
from backends.secrets import MASK

_NO_NETWORK = ("host", "none", "container:", "ns:", "slirp4netns", "pasta", "private")
_ENDPOINT = ("IPAMConfig", "Links", "Aliases", "DriverOpts", "GwPriority")


@dataclass(slots=True)
class Again:
    """`networks`: the settings of its place in each, the one it is created in first."""

    name: str
    body: Body
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)


def again(container: Answer, image: Answer | None, wanted: RunSpec | None, *, podman: bool = False) -> Again:
    """`wanted`: what `shown(container, image).spec` was edited to; None: nothing. Raises ValueError with the reason."""
    own = copy.deepcopy(dict(container))
    before = shown(own, image)
    wanted = wanted or before.spec
    made = Again(before.spec.name, _carried(own, image, podman=podman), _networks(own))
    _attach_anonymous(own, made.body)
    for name in changed(before.spec, wanted):
        _CHANGES[name](made, before, wanted)
    if wanted.more:
        apply_more(wanted.more, made.body)
        _join_endpoint(made)
    return made


def changed(before: RunSpec, after: RunSpec) -> list[str]:
    """Names of the fields that differ, less those a recreation keeps: the name, and whether it runs."""
    names = [each.name for each in fields(RunSpec)]
    return [
        name
        for name in names
        if name not in {"name", "start", "more"} and getattr(before, name) != getattr(after, name)
    ]


def _carried(container: dict[str, Any], image: Answer | None, *, podman: bool) -> Body:
    config: dict[str, Any] = container.get("Config") or {}
    defaults = (image or {}).get("Config") or {}
    host: dict[str, Any] = container.get("HostConfig") or {}
    own = own_config(config, defaults)
    network = str(host.get("NetworkMode") or "")
    if own.get("Hostname") in {"", short_id(container)} or network.startswith("container:"):
        own.pop("Hostname", None)
    if network == "host":
        own.pop("Hostname", None)
        own.pop("Domainname", None)
    # Without clients attached to it, whoever attached to the old one
    for key in ("AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"):
        own.pop(key, None)
    if host.get("Links"):
        # `/other:/this/alias` in the answer, `other:alias` in the request
        links = [str(link).partition(":") for link in host["Links"]]
        host["Links"] = [f"{other.lstrip('/')}:{alias.rpartition('/')[2]}" for other, _, alias in links]
    if podman:
        host = _podman_host(host, own)
    host.pop("ContainerIDFile", None)
    return Body(own, host)


def _podman_host(host: Mapping[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Without the words with which Podman's answer describes defaults, and which its creation does not take."""
    kept = {key: value for key, value in host.items() if value not in (None, "", [], {}, 0, -1)}
    for key in ("Runtime", "CgroupMode", "ConmonPidFile", "CgroupParent", "Cgroup"):
        kept.pop(key, None)
    for key in ("PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode"):
        if kept.get(key) in {"private", "shareable", "none"}:
            kept.pop(key)
    if isinstance(kept.get("Binds"), list):
        kept["Binds"] = [_podman_bind(bind) for bind in kept["Binds"]]
    for limit in kept.get("Ulimits") or ():
        limit["Name"] = str(limit.get("Name") or "").removeprefix("RLIMIT_").lower()
    if isinstance(kept.get("LogConfig"), dict):
        kept["LogConfig"]["Config"] = kept["LogConfig"].get("Config") or {}
    for key in ("Annotations", "CreateCommand", "HealthcheckOnFailureAction", "Umask", "Timeout"):
        config.pop(key, None)
    if "StopSignal" in config:
        # Told as a number, taken as a text
        config["StopSignal"] = str(config["StopSignal"])
    return kept


def _podman_bind(bind: str) -> str:
    source, target, *options = bind.split(":")
    chosen = [option for option in ",".join(options).split(",") if option in {"ro", "z", "Z", "U", "O"}]
    return ":".join([source, target, *([",".join(chosen)] if chosen else [])])


def _networks(container: Answer) -> dict[str, dict[str, Any]]:
    host = container.get("HostConfig") or {}
    mode = str(host.get("NetworkMode") or "default")
    if mode.startswith(_NO_NETWORK):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for name, place in ((container.get("NetworkSettings") or {}).get("Networks") or {}).items():
        kept = {key: place[key] for key in _ENDPOINT if place.get(key)}
        aliases = [alias for alias in kept.pop("Aliases", ()) if alias != short_id(container)]
        if aliases and name not in {"bridge", "podman"}:
            kept["Aliases"] = aliases
        found[name] = kept
    first = "bridge" if mode in {"default", "bridge"} else mode
    return {name: found[name] for name in sorted(found, key=lambda name: name != first)}


def _attach_anonymous(container: Answer, body: Body) -> None:
    """Name its anonymous volumes, which the engine would otherwise make anew, empty."""
    mounted = anonymous_volumes(container)
    unnamed = {str(mount.get("Target")) for mount in body.host.get("Mounts") or () if not mount.get("Source")}
    for path, (name, writable) in mounted.items():
        if path in unnamed:
            for mount in body.host["Mounts"]:
                if mount.get("Target") == path and mount.get("Type") == "volume":
                    mount["Source"] = name
        else:
            bind = f"{name}:{path}{'' if writable else ':ro'}"
            body.host["Binds"] = [*(body.host.get("Binds") or ()), bind]
        (body.config.get("Volumes") or {}).pop(path, None)


def _set_image(made: Again, _: Shown, wanted: RunSpec) -> None:
    made.body.config["Image"] = wanted.image


def _set_command(made: Again, before: Shown, wanted: RunSpec) -> None:
    config = made.body.config
    for key, name in (("Cmd", "command"), ("Entrypoint", "entrypoint")):
        words = getattr(wanted, name)
        if words == getattr(before.spec, name):
            continue
        if any(MASK in word for word in words):
            raise ValueError(f"the {name} was changed: write out its masked parts, too")
        config.pop(key, None)
        if words:
            config[key] = list(words)


def _set_ports(made: Again, _: Shown, wanted: RunSpec) -> None:
    bodies.put_ports(made.body.config, made.body.host, wanted.ports)


def _set_environment(made: Again, before: Shown, wanted: RunSpec) -> None:
    made.body.config["Env"] = [before.environment.get(entry) or _unmasked(entry) for entry in wanted.environment]


def _set_labels(made: Again, before: Shown, wanted: RunSpec) -> None:
    pairs = [before.labels.get(entry) or entries.read_label(_unmasked(entry)) for entry in wanted.labels]
    made.body.config["Labels"] = dict(pairs)


def _unmasked(entry: str) -> str:
    if MASK in entry:
        raise ValueError(f"{entry.partition('=')[0][:60]}: write out its masked value")
    return entry


def _set_volumes(made: Again, before: Shown, wanted: RunSpec) -> None:
    body = made.body
    attached = {bind.split(":")[1]: bind for bind in body.host.get("Binds") or () if ":" in bind}
    own = set(before.mounts) | {entry for entry in before.anonymous if entry not in attached}
    mounts = [mount for mount in body.host.get("Mounts") or () if mount.get("Type") not in {"bind", "volume"}]
    binds: list[str] = []
    fresh: list[str] = []
    for entry in wanted.volumes:
        if entry in before.binds:
            binds.append(before.binds[entry])
        elif entry in before.anonymous and entry in attached:
            binds.append(attached[entry])
        elif entry in own:
            wants = before.mounts.get(entry, {}).get("Target") or entry
            mounts += [mount for mount in body.host.get("Mounts") or () if mount.get("Target") == wants]
        else:
            fresh.append(entry)
    body.host["Binds"], body.host["Mounts"] = binds, mounts
    bodies.put_volumes(body.config, body.host, tuple(fresh))
    body.host["Binds"] = [*binds, *(bind for bind in body.host["Binds"] if bind not in binds)]


def _set_network(made: Again, before: Shown, wanted: RunSpec) -> None:
    mode = wanted.network or "default"
    made.body.host["NetworkMode"] = mode
    if mode.startswith(_NO_NETWORK):
        made.networks = {}
        return
    left = before.spec.network or "bridge"
    aliases = made.networks.pop(left, {}).get("Aliases")
    first: dict[str, Any] = {"Aliases": aliases} if aliases and mode not in {"default", "bridge", "podman"} else {}
    made.networks = {("bridge" if mode == "default" else mode): first, **made.networks}


def _set_restart(made: Again, _: Shown, wanted: RunSpec) -> None:
    made.body.host["RestartPolicy"] = bodies.restart_of(wanted.restart)


def _set_cpus(made: Again, _: Shown, wanted: RunSpec) -> None:
    for key in ("CpuQuota", "CpuPeriod", "NanoCpus"):
        made.body.host.pop(key, None)
    bodies.put_limits(made.body.host, RunSpec(cpus=wanted.cpus))


def _set_memory(made: Again, _: Shown, wanted: RunSpec) -> None:
    host = made.body.host
    before, swap = int(host.get("Memory") or 0), int(host.get("MemorySwap") or 0)
    host["Memory"] = wanted.memory or 0
    if swap == 2 * before or not wanted.memory:
        # The engine's own choice for the old limit
        host.pop("MemorySwap", None)


def _set_plain(key: str, name: str) -> Any:
    def put(made: Again, _: Shown, wanted: RunSpec) -> None:
        made.body.config[key] = getattr(wanted, name)

    return put


def _set_remove(made: Again, _: Shown, wanted: RunSpec) -> None:
    made.body.host["AutoRemove"] = wanted.remove


_CHANGES: dict[str, Any] = {
    "image": _set_image,
    "command": _set_command,
    "entrypoint": _set_command,
    "ports": _set_ports,
    "environment": _set_environment,
    "volumes": _set_volumes,
    "network": _set_network,
    "restart": _set_restart,
    "cpus": _set_cpus,
    "memory": _set_memory,
    "labels": _set_labels,
    "user": _set_plain("User", "user"),
    "workdir": _set_plain("WorkingDir", "workdir"),
    "hostname": _set_plain("Hostname", "hostname"),
    "interactive": _set_plain("OpenStdin", "interactive"),
    "tty": _set_plain("Tty", "tty"),
    "remove": _set_remove,
}


def _join_endpoint(made: Again) -> None:
    """Put what other options say about its place in the first network there."""
    if made.body.endpoint and made.networks:
        first = next(iter(made.networks))
        made.networks[first] = {**made.networks[first], **made.body.endpoint}
