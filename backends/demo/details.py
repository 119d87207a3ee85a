"""The full answers of simulated engines, in the shapes of Docker's API (1.51) and VirtualBox's machine attributes."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

from backends.demo import health
from backends.demo.catalog import Disk
from backends.model import VM, Container, Image, Item, Mount, Network, State, Volume

_ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "shop/web": ("NODE_ENV=production", "API_URL=http://shop-api:8000", "SESSION_SECRET=3d1f0c9ab27e55", "PORT=3000"),
    "shop/api": (
        "DATABASE_URL=postgres://shop:correct-horse@shop-db:5432/shop",
        "REDIS_URL=redis://shop-cache:6379/0",
        "STRIPE_API_KEY=sk_demo_4eC39HqLyjWDarjtT1",
        "LOG_LEVEL=info",
        "PYTHON_VERSION=3.13.2",
    ),
    "postgres": ("POSTGRES_USER=shop", "POSTGRES_DB=shop", "POSTGRES_PASSWORD=correct-horse", "PG_MAJOR=17"),
    "opensearchproject/opensearch": (
        "discovery.type=single-node",
        "OPENSEARCH_INITIAL_ADMIN_PASSWORD=Battery-Staple-9",
    ),
    "grafana/grafana": ("GF_PATHS_DATA=/var/lib/grafana", "GF_SECURITY_ADMIN_PASSWORD=grafana-demo"),
    "redis": ("REDIS_VERSION=7.4.2",),
}
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def describe(item: Item, disks: tuple[Disk, ...], now: float | None = None) -> dict[str, Any]:
    if isinstance(item, Container):
        return _container(item, item.created if now is None else now)
    if isinstance(item, Image):
        return _image(item)
    if isinstance(item, Volume):
        return _volume(item)
    if isinstance(item, Network):
        return _network(item)
    return _vm(item, disks)


def _time(unix: float | None) -> str:
    if unix is None:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _environment(repository: str) -> list[str]:
    return [*_ENVIRONMENT.get(repository, ()), _PATH]


def _container(item: Container, now: float) -> dict[str, Any]:
    repository = item.image.rpartition(":")[0]
    words = shlex.split(item.command)
    live = item.state in (State.RUNNING, State.PAUSED)
    bindings: dict[str, Any] = {
        f"{port.port}/{port.protocol}": [{"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
        if port.host_port is not None
        else None
        for port in item.ports
    }
    state: dict[str, Any] = {
        "Status": item.state_word,
        "Running": live,
        "Paused": item.state is State.PAUSED,
        "Restarting": item.state is State.RESTARTING,
        "OOMKilled": False,
        "Dead": False,
        "Pid": 1000 + int(item.ref.id[:4], 16) if live else 0,
        "ExitCode": item.exit_code or 0,
        "Error": "",
        "StartedAt": _time(item.started),
        "FinishedAt": _time(item.ended),
    }
    check = health.definition(item)
    if (log := health.state(item, now)) is not None:
        state["Health"] = log
    return {
        "Id": item.ref.id,
        "Created": _time(item.created),
        "Path": words[0] if words else "",
        "Args": words[1:],
        "State": state,
        "Image": item.image_id,
        "Name": f"/{item.name}",
        "RestartCount": 117 if item.state is State.RESTARTING else 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "HostConfig": {
            "NetworkMode": item.networks[0][0] if item.networks else "default",
            "PortBindings": {name: value for name, value in bindings.items() if value},
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "Privileged": False,
            "ReadonlyRootfs": False,
        },
        "Mounts": [_mount(mount) for mount in item.mounts],
        "Config": {
            "Hostname": item.ref.id[:12],
            "User": "",
            "Env": _environment(repository),
            "Cmd": words,
            "Image": item.image,
            "WorkingDir": "/srv/app" if repository.startswith("shop/") else "/",
            "ExposedPorts": {name: {} for name in bindings},
            "Labels": dict(item.labels),
            "StopSignal": "SIGTERM",
            **({"Healthcheck": check} if check else {}),
        },
        "NetworkSettings": {
            "Ports": bindings if live else {},
            "Networks": {name: _attachment(item, ip if live else "") for name, ip in item.networks},
        },
    }


def _mount(mount: Mount) -> dict[str, Any]:
    shown = {"Type": mount.type, "Source": mount.source, "Destination": mount.destination, "RW": mount.writable}
    if mount.type == "volume":
        path = f"/var/lib/docker/volumes/{mount.source}/_data"
        return shown | {"Name": mount.source, "Source": path, "Driver": "local", "Mode": "z"}
    return shown | {"Mode": "" if mount.writable else "ro", "Propagation": "rprivate"}


def _attachment(item: Container, ip: str) -> dict[str, Any]:
    if not ip:
        return {"IPAddress": "", "Gateway": "", "Aliases": [item.ref.id[:12]], "Links": None}
    parts = ip.split(".")
    service = dict(item.labels).get("com.docker.compose.service", "")
    return {
        "IPAddress": ip,
        "IPPrefixLen": 16,
        "Gateway": ".".join([*parts[:3], "1"]),
        "MacAddress": "02:42:" + ":".join(f"{int(part):02x}" for part in parts),
        "Aliases": [item.name, *([service] if service else []), item.ref.id[:12]],
        "Links": None,
    }


def _image(item: Image) -> dict[str, Any]:
    repository = item.tags[0].rpartition(":")[0] if item.tags else ""
    return {
        "Id": item.ref.id,
        "RepoTags": list(item.tags),
        "RepoDigests": list(item.digests),
        "Created": _time(item.created),
        "Architecture": "amd64",
        "Os": "linux",
        "Size": item.size,
        "Config": {"Env": _environment(repository), "Labels": {"org.opencontainers.image.title": repository or "none"}},
        "RootFS": {"Type": "layers", "Layers": [f"sha256:{item.ref.id[7 + n : 71]}{'0' * n}" for n in range(4)]},
    }


def _volume(item: Volume) -> dict[str, Any]:
    return {
        "CreatedAt": _time(item.created),
        "Driver": item.driver,
        "Labels": dict(item.labels),
        "Mountpoint": item.mountpoint,
        "Name": item.name,
        "Options": dict(item.options),
        "Scope": item.scope,
    }


def _network(item: Network) -> dict[str, Any]:
    return {
        "Name": item.name,
        "Id": item.ref.id,
        "Created": _time(item.created),
        "Scope": item.scope,
        "Driver": item.driver,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default",
            "Config": [{"Subnet": subnet.subnet, "Gateway": subnet.gateway} for subnet in item.subnets],
        },
        "Internal": item.internal,
        "Attachable": item.attachable,
        "Options": dict(item.options),
        "Labels": dict(item.labels),
    }


def _vm(item: VM, disks: tuple[Disk, ...]) -> dict[str, Any]:
    return {
        "id": item.ref.id,
        "name": item.name,
        "description": item.description,
        "groups": list(item.groups),
        "os_type": item.os_type,
        "state": item.state_word,
        "last_state_change": _time(item.changed),
        "cpu_count": item.cpus,
        "memory_size": item.memory // (1024 * 1024),
        "firmware_type": "EFI" if "Windows 11" in item.os_type else "BIOS",
        "chipset_type": "PIIX3",
        "settings_file_path": f"/srv/vms/{item.name}/{item.name}.vbox",
        "snapshot_count": item.snapshots,
        "vrde_server": {"enabled": False, "ports": "3389"},
        "medium_attachments": [
            {"controller": "SATA", "port": port, "type": "HardDisk", "medium": disk.path, "size": disk.size}
            for port, disk in enumerate(disks)
        ],
        "network_adapters": [
            {
                "slot": 0,
                "attachment_type": "NAT",
                "mac_address": f"080027{item.ref.id[:6].upper()}",
                "cable_connected": True,
            }
        ],
    }
