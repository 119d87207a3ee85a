"""The options of `docker run` beyond the form's own fields, and what each sets in the engine's settings.

Names and places as in the Docker Engine API 1.41, `POST /containers/create`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backends.runs import sizes


@dataclass(slots=True)
class Body:
    """What a container is created with. `endpoint` is its place in its first network."""

    config: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    platform: str = ""


Setter = Callable[[Body, str], None]


@dataclass(frozen=True, slots=True)
class Option:
    """`flag`: takes no value. `many`: may be given several times."""

    set: Setter
    flag: bool = False
    many: bool = False


def _host(key: str, read: Callable[[str], Any] = str) -> Option:
    return Option(lambda body, value: body.host.__setitem__(key, read(value)))


def _config(key: str, read: Callable[[str], Any] = str) -> Option:
    return Option(lambda body, value: body.config.__setitem__(key, read(value)))


def _flag(key: str) -> Option:
    return Option(lambda body, _: body.host.__setitem__(key, True), flag=True)


def _entries(key: str, read: Callable[[str], Any] = str) -> Option:
    return Option(lambda body, value: _list(body.host, key).append(read(value)), many=True)


def _pairs(key: str) -> Option:
    def put(body: Body, value: str) -> None:
        name, separator, text = value.partition("=")
        if not name or not separator:
            raise ValueError(f"{value[:60]}: write it as name=value")
        _dict(body.host, key)[name] = text

    return Option(put, many=True)


def _list(owner: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(owner.get(key), list):
        owner[key] = []
    found: list[Any] = owner[key]
    return found


def _dict(owner: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(owner.get(key), dict):
        owner[key] = {}
    found: dict[str, Any] = owner[key]
    return found


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text[:40]} is no whole number") from None


def _swap(text: str) -> int:
    return -1 if text == "-1" else sizes.read_size(text)


def _device(text: str) -> dict[str, str]:
    parts = text.split(":")
    if not parts[0].startswith("/") or len(parts) > 3:
        raise ValueError(f"{text[:60]}: write it as /dev/on-host[:/dev/in-container[:rwm]]")
    inside = parts[1] if len(parts) > 1 and parts[1].startswith("/") else parts[0]
    rights = parts[-1] if len(parts) > 1 and not parts[-1].startswith("/") else "rwm"
    return {"PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": rights}


def _ulimit(text: str) -> dict[str, Any]:
    name, separator, limits = text.partition("=")
    soft, _, hard = limits.partition(":")
    if not name or not separator:
        raise ValueError(f"{text[:60]}: write it as nofile=1024:2048")
    return {"Name": name, "Soft": _whole(soft), "Hard": _whole(hard or soft)}


def _gpus(text: str) -> dict[str, Any]:
    if text != "all" and not text.isdigit():
        raise ValueError("--gpus takes all or a number here")
    return {"Driver": "", "Count": -1 if text == "all" else int(text), "Capabilities": [["gpu"]]}


def _tmpfs(body: Body, value: str) -> None:
    path, _, options = value.partition(":")
    if not path.startswith("/"):
        raise ValueError(f"{value[:60]}: the path in the container begins with /")
    _dict(body.host, "Tmpfs")[path] = options


def _log(key: str) -> Option:
    def put(body: Body, value: str) -> None:
        log = _dict(body.host, "LogConfig")
        log.setdefault("Type", "")
        log.setdefault("Config", {})
        if key == "Type":
            log["Type"] = value
            return
        name, separator, text = value.partition("=")
        if not name or not separator:
            raise ValueError(f"{value[:60]}: write it as max-size=10m")
        log["Config"][name] = text

    return Option(put, many=key != "Type")


def _health(key: str, read: Callable[[str], Any]) -> Option:
    return Option(lambda body, value: _dict(body.config, "Healthcheck").__setitem__(key, read(value)))


def _address(key: str) -> Option:
    return Option(lambda body, value: _dict(body.endpoint, "IPAMConfig").__setitem__(key, value))


def _alias(body: Body, value: str) -> None:
    _list(body.endpoint, "Aliases").append(value)


def _expose(body: Body, value: str) -> None:
    port, _, protocol = value.partition("/")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{value[:40]} is no port")
    _dict(body.config, "ExposedPorts")[f"{int(port)}/{protocol or 'tcp'}"] = {}


def _platform(body: Body, value: str) -> None:
    body.platform = value


def _no_health(body: Body, _: str) -> None:
    body.config["Healthcheck"] = {"Test": ["NONE"]}


MORE: dict[str, Option] = {
    "add-host": _entries("ExtraHosts"),
    "cap-add": _entries("CapAdd"),
    "cap-drop": _entries("CapDrop"),
    "cgroup-parent": _host("CgroupParent"),
    "cgroupns": _host("CgroupnsMode"),
    "cpu-shares": _host("CpuShares", _whole),
    "cpuset-cpus": _host("CpusetCpus"),
    "device": _entries("Devices", _device),
    "dns": _entries("Dns"),
    "dns-option": _entries("DnsOptions"),
    "dns-search": _entries("DnsSearch"),
    "domainname": _config("Domainname"),
    "expose": Option(_expose, many=True),
    "gpus": _entries("DeviceRequests", _gpus),
    "group-add": _entries("GroupAdd"),
    "health-cmd": _health("Test", lambda text: ["CMD-SHELL", text]),
    "health-interval": _health("Interval", sizes.read_nanoseconds),
    "health-retries": _health("Retries", _whole),
    "health-start-period": _health("StartPeriod", sizes.read_nanoseconds),
    "health-timeout": _health("Timeout", sizes.read_nanoseconds),
    "init": _flag("Init"),
    "ip": _address("IPv4Address"),
    "ip6": _address("IPv6Address"),
    "ipc": _host("IpcMode"),
    "link": _entries("Links"),
    "log-driver": _log("Type"),
    "log-opt": _log("Config"),
    "mac-address": _config("MacAddress"),
    "memory-reservation": _host("MemoryReservation", sizes.read_size),
    "memory-swap": _host("MemorySwap", _swap),
    "network-alias": Option(_alias, many=True),
    "no-healthcheck": Option(_no_health, flag=True),
    "oom-kill-disable": _flag("OomKillDisable"),
    "oom-score-adj": _host("OomScoreAdj", _whole),
    "pid": _host("PidMode"),
    "pids-limit": _host("PidsLimit", _whole),
    "platform": Option(_platform),
    "privileged": _flag("Privileged"),
    "publish-all": _flag("PublishAllPorts"),
    "read-only": _flag("ReadonlyRootfs"),
    "runtime": _host("Runtime"),
    "security-opt": _entries("SecurityOpt"),
    "shm-size": _host("ShmSize", sizes.read_size),
    "stop-signal": _config("StopSignal"),
    "stop-timeout": _config("StopTimeout", _whole),
    "storage-opt": _pairs("StorageOpt"),
    "sysctl": _pairs("Sysctls"),
    "tmpfs": Option(_tmpfs, many=True),
    "ulimit": _entries("Ulimits", _ulimit),
    "userns": _host("UsernsMode"),
    "uts": _host("UTSMode"),
    "volume-driver": _host("VolumeDriver"),
    "volumes-from": _entries("VolumesFrom"),
}
"""By name without the dashes."""


def apply_more(more: tuple[str, ...], body: Body) -> None:
    """Set what these options say. Raises ValueError for one that is unknown or ill-formed."""
    for entry in more:
        name, separator, value = entry.removeprefix("--").partition("=")
        option = MORE.get(name)
        if option is None or not entry.startswith("--"):
            raise ValueError(f"{entry[:40]} is no option known here")
        if option.flag and separator:
            raise ValueError(f"--{name} takes no value")
        if not option.flag and not separator:
            raise ValueError(f"--{name} takes a value: --{name}=...")
        try:
            option.set(body, value)
        except ValueError as error:
            raise ValueError(f"--{name}: {error}") from None
