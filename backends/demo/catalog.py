"""What the simulated engines have when they start."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backends.demo.curves import GB, MB, Profile
from backends.demo.curves import number as hashed
from backends.model import VM, Container, Health, Image, Kind, Mount, Port, Ref, State

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
KB = 1024
HOST_MEMORY = int(31.2 * GB)

RESTARTING = "shop-mailer"
"""Crashes soon after each start, and its engine starts it again."""
WAVERING = "shop-search"
"""Its health check fails now and then."""
BLOCKED = "shop-proxy-canary"
"""Never starts: another container has its port."""
DEAF = "legacy-xp"
"""A guest that ignores the power button."""


@dataclass(frozen=True, slots=True)
class Disk:
    id: str
    path: str
    size: int
    """Bytes in use on the host."""
    shared: str = ""
    """Name of another VM that uses it."""


def identity(seed: int, kind: Kind, name: str) -> str:
    digest = hashlib.sha256(f"{seed}/{kind}/{name}".encode()).hexdigest()
    if kind is Kind.VM:
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return f"sha256:{digest}" if kind is Kind.IMAGE else digest


# name -> (further tags, size, age)
_IMAGES: dict[str, tuple[tuple[str, ...], int, float]] = {
    "shop/web:2.14.0": (("shop/web:latest",), 187 * MB, 4 * _DAY),
    "shop/api:2.14.0": ((), 341 * MB, 4 * _DAY),
    "traefik:3.3": ((), 224 * MB, 41 * _DAY),
    "postgres:17": ((), 438 * MB, 23 * _DAY),
    "redis:7.4-alpine": ((), 41 * MB, 60 * _DAY),
    "opensearchproject/opensearch:2.19": ((), 1214 * MB, 75 * _DAY),
    "prom/prometheus:v3.2.1": ((), 296 * MB, 50 * _DAY),
    "grafana/grafana:11.5.2": ((), 487 * MB, 52 * _DAY),
    "registry:2": ((), 25 * MB, 300 * _DAY),
    "node:22-bookworm": ((), 1119 * MB, 15 * _DAY),
    "<none>:1": ((), 339 * MB, 11 * _DAY),
    "<none>:2": ((), 186 * MB, 12 * _DAY),
}


def images(engine: str, seed: int, now: float) -> Iterator[Image]:
    for name, (more, size, age) in _IMAGES.items():
        dangling = name.startswith("<none>")
        repository = name.rpartition(":")[0]
        digest = hashlib.sha256(f"digest/{seed}/{name}".encode()).hexdigest()
        yield Image(
            ref=Ref(engine, Kind.IMAGE, identity(seed, Kind.IMAGE, name)),
            tags=() if dangling else (name, *more),
            digests=() if dangling or name.startswith("shop/") else (f"{repository}@sha256:{digest}",),
            size=size,
            created=now - age,
            dangling=dangling,
        )


@dataclass(frozen=True, slots=True)
class _Box:
    image: str
    command: str
    profile: Profile
    project: str = ""
    state: State = State.RUNNING
    up: float = 0.0
    ended: float = 0.0
    age: float = 3 * _DAY
    exit_code: int | None = None
    health: Health | None = None
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ip: str = ""


def _web_ports(*ports: int, shift: int = 0) -> tuple[Port, ...]:
    return tuple(Port(port, "tcp", "0.0.0.0", port + shift) for port in ports)  # noqa: S104 (a picture of a port)


def _volume(name: str, destination: str) -> Mount:
    return Mount("volume", name, destination, True)


_BOXES: dict[str, _Box] = {
    "shop-proxy": _Box(
        "traefik:3.3", "/entrypoint.sh traefik", Profile(0.03, 64 * MB, 310 * KB, 890 * KB, 0, 4 * KB, 14),
        "shop", up=3 * _DAY, ports=_web_ports(80, 443),
        mounts=(Mount("bind", "/var/run/docker.sock", "/var/run/docker.sock", False),), ip="172.20.0.2",
    ),
    "shop-web": _Box(
        "shop/web:2.14.0", "node server.js --port 3000",
        Profile(0.16, 148 * MB, 120 * KB, 640 * KB, 0, 9 * KB, 23, 2.0, 512 * MB),
        "shop", up=3 * _DAY, health=Health.HEALTHY, ports=(Port(3000, "tcp"),), ip="172.20.0.3",
    ),
    "shop-api": _Box(
        "shop/api:2.14.0", "gunicorn shop.api --token=c2hvcC1hcGktdG9rZW4 --workers 4",
        Profile(0.62, 371 * MB, 210 * KB, 260 * KB, 2 * KB, 22 * KB, 9, 2.0, 512 * MB),
        "shop", up=3 * _DAY, health=Health.UNHEALTHY, ports=(Port(8000, "tcp"),), ip="172.20.0.4",
    ),
    "shop-worker": _Box(
        "shop/api:2.14.0", "celery --app shop worker --concurrency 4",
        Profile(0.9, 412 * MB, 90 * KB, 64 * KB, 12 * KB, 110 * KB, 7, 2.0, 1 * GB, bursts=True),
        "shop", up=2 * _DAY + 4 * _HOUR, ip="172.20.0.5",
    ),
    "shop-db": _Box(
        "postgres:17", "docker-entrypoint.sh postgres -c shared_buffers=256MB",
        Profile(0.24, 512 * MB, 150 * KB, 420 * KB, 640 * KB, 1200 * KB, 31, None, 2 * GB),
        "shop", up=3 * _DAY, health=Health.HEALTHY, ports=(Port(5432, "tcp", "127.0.0.1", 5432),),
        mounts=(_volume("shop_db-data", "/var/lib/postgresql/data"),), ip="172.20.0.6",
    ),
    "shop-cache": _Box(
        "redis:7.4-alpine", "docker-entrypoint.sh redis-server --save 60 1",
        Profile(0.04, 38 * MB, 84 * KB, 96 * KB, 0, 3 * KB, 6, None, 256 * MB),
        "shop", up=3 * _DAY, health=Health.HEALTHY, ports=(Port(6379, "tcp"),), ip="172.20.0.7",
    ),
    WAVERING: _Box(
        "opensearchproject/opensearch:2.19", "./opensearch-docker-entrypoint.sh opensearch",
        Profile(0.38, 1420 * MB, 40 * KB, 120 * KB, 80 * KB, 260 * KB, 96, 4.0, 2 * GB),
        "shop", up=26 * _HOUR, health=Health.HEALTHY, ports=(Port(9200, "tcp", "127.0.0.1", 9200),),
        mounts=(_volume("shop_search-data", "/usr/share/opensearch/data"),), ip="172.20.0.8",
    ),
    RESTARTING: _Box(
        "shop/api:2.14.0", "python -m shop.mailer", Profile(0.4, 55 * MB, 1 * KB, 1 * KB, 0, 0, 3, 1.0, 128 * MB),
        "shop", state=State.RESTARTING, exit_code=1, ended=5.0, ip="172.20.0.9",
    ),
    "shop-migrate": _Box(
        "shop/api:2.14.0", "alembic upgrade head", Profile(0.8, 96 * MB, pids=2),
        "shop", state=State.EXITED, ended=3 * _DAY - 40, exit_code=0,
    ),
    "prometheus": _Box(
        "prom/prometheus:v3.2.1", "/bin/prometheus --config.file=/etc/prometheus/prometheus.yml",
        Profile(0.07, 268 * MB, 180 * KB, 12 * KB, 1 * KB, 90 * KB, 15),
        "monitoring", up=12 * _DAY, age=12 * _DAY, ports=(Port(9090, "tcp", "127.0.0.1", 9090),),
        mounts=(Mount("bind", "/srv/monitoring/prometheus.yml", "/etc/prometheus/prometheus.yml", False),
                _volume("9f1c3f6b2e7d4a58b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d", "/prometheus")),
        ip="172.21.0.2",
    ),
    "grafana": _Box(
        "grafana/grafana:11.5.2", "/run.sh", Profile(0.02, 121 * MB, 6 * KB, 44 * KB, 0, 2 * KB, 18),
        "monitoring", up=12 * _DAY, age=12 * _DAY, health=Health.HEALTHY, ports=_web_ports(3000, shift=1),
        ip="172.21.0.3",
    ),
    "build-cache": _Box(
        "registry:2", "/entrypoint.sh /etc/docker/registry/config.yml", Profile(0.01, 22 * MB, pids=8),
        state=State.PAUSED, up=9 * _HOUR, age=40 * _DAY, ports=(Port(5000, "tcp", "127.0.0.1", 5000),),
        mounts=(_volume("build-cache", "/var/lib/registry"),), ip="172.17.0.2",
    ),
    "nightly-backup": _Box(
        "postgres:17", "pg_dump --host=shop-db --password=hunter2 shop", Profile(0.5, 40 * MB, pids=2),
        state=State.EXITED, ended=9 * _HOUR + 12 * _MINUTE, age=30 * _DAY, exit_code=1,
        mounts=(Mount("bind", "/srv/backup", "/backup", True),),
    ),
    BLOCKED: _Box(
        "traefik:3.3", "/entrypoint.sh traefik", Profile(0.03, 64 * MB, pids=14),
        state=State.CREATED, age=2 * _HOUR, ports=_web_ports(80, 443),
    ),
}  # fmt: skip


def containers(engine: str, seed: int, now: float) -> Iterator[tuple[Container, Profile]]:
    for name, box in _BOXES.items():
        labels = [("maintainer", "platform@example.com")]
        if box.project:
            service = name.removeprefix(f"{box.project}-")
            labels += [
                ("com.docker.compose.config-hash", hashlib.sha256(f"config/{name}".encode()).hexdigest()),
                ("com.docker.compose.container-number", "1"),
                ("com.docker.compose.project", box.project),
                ("com.docker.compose.project.config_files", f"/srv/{box.project}/compose.yaml"),
                ("com.docker.compose.project.working_dir", f"/srv/{box.project}"),
                ("com.docker.compose.service", service),
            ]
        if name == "shop-web":
            labels.append(("shop.deploy.token", "dep_51f0c2e8a7"))
        network = f"{box.project}_default" if box.project else "bridge"
        live = box.state in (State.RUNNING, State.PAUSED)
        yield (
            Container(
                ref=Ref(engine, Kind.CONTAINER, identity(seed, Kind.CONTAINER, name)),
                name=name,
                image=box.image,
                image_id=identity(seed, Kind.IMAGE, box.image),
                command=box.command,
                state=box.state,
                state_word=str(box.state),
                created=now - box.age,
                started=now - box.up if live else None,
                ended=now - box.ended if box.ended else None,
                exit_code=box.exit_code,
                health=box.health,
                ports=box.ports,
                labels=tuple(labels),
                networks=((network, box.ip),),
                mounts=box.mounts,
            ),
            box.profile,
        )


def many_containers(engine: str, seed: int, now: float, count: int) -> Iterator[tuple[Container, Profile]]:
    """As many as a load test wants: five of six running, in projects of twelve."""
    names = [name for name in _IMAGES if not name.startswith("<none>")]
    ids = {name: identity(seed, Kind.IMAGE, name) for name in names}
    for index in range(count):
        name = f"load-{index // 12:04}-{index % 12:02}"
        bits = hashed(seed, name)
        image = names[bits % len(names)]
        running = (bits >> 8) % 6 > 0
        age = 60.0 + (bits >> 16) % int(30 * _DAY)
        profile = Profile(
            cpu=((bits >> 24) % 1000) ** 2 / 4e6,
            memory=(8 + (bits >> 32) % 500) * MB,
            receive=float((bits >> 40) % 100_000),
            transmit=float((bits >> 44) % 100_000),
            write=float((bits >> 48) % 50_000),
            pids=1 + (bits >> 52) % 40,
        )
        yield (
            Container(
                ref=Ref(engine, Kind.CONTAINER, identity(seed, Kind.CONTAINER, name)),
                name=name,
                image=image,
                image_id=ids[image],
                command="/entrypoint.sh",
                state=State.RUNNING if running else State.EXITED,
                state_word="running" if running else "exited",
                created=now - age,
                started=now - age if running else None,
                ended=None if running else now - age / 2,
                exit_code=None if running else 0,
                labels=(("com.docker.compose.project", f"load-{index // 12:04}"),),
                networks=((f"load-{index // 12:04}_default", f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}"),),
            ),
            profile,
        )


@dataclass(frozen=True, slots=True)
class _Machine:
    os_type: str
    cpus: int
    memory: int
    state: State
    word: str
    changed: float
    cpu: float
    disk: int
    group: str = "/"
    description: str = ""
    snapshots: int = 0


_MACHINES: dict[str, _Machine] = {
    "build-win11": _Machine(
        "Windows 11 (64-bit)", 4, 8 * GB, State.RUNNING, "Running", 2 * _HOUR + 11 * _MINUTE, 0.7, 64 * GB, "/build",
        "Signs and packs the Windows installer", 2,
    ),
    "build-debian": _Machine(
        "Debian 12 Bookworm (64-bit)", 4, 4 * GB, State.RUNNING, "Running", 5 * _DAY, 1.6, 22 * GB, "/build",
        "Package builds", 1,
    ),
    DEAF: _Machine(
        "Windows XP (32-bit)", 1, 512 * MB, State.RUNNING, "Running", 19 * _DAY, 0.12, 6 * GB, "/",
        "Drives the label printer. Ignores the power button",
    ),
    "test-freebsd": _Machine(
        "FreeBSD (64-bit)", 2, 2 * GB, State.PAUSED, "Paused", 38 * _MINUTE, 0.3, 11 * GB, "/test", "", 3
    ),
    "lab-ubuntu": _Machine(
        "Ubuntu 24.04 LTS (64-bit)", 2, 4 * GB, State.SAVED, "Saved", 2 * _DAY, 0.4, 17 * GB, "/lab"
    ),
    "lab-fedora": _Machine("Fedora (64-bit)", 2, 4 * GB, State.OFF, "PoweredOff", 8 * _DAY, 0.4, 14 * GB, "/lab"),
    "kernel-lab": _Machine(
        "Arch Linux (64-bit)", 8, 6 * GB, State.CRASHED, "Aborted", 51 * _MINUTE, 2.2, 9 * GB, "/lab",
        "Boots kernels of the day", 5,
    ),
}  # fmt: skip

_ADDRESSES = {"build-win11": ("192.168.56.21", "10.0.2.15"), "build-debian": ("192.168.56.14",)}

SHARED_DISK_USERS = ("build-win11", DEAF)


def machines(engine: str, seed: int, now: float) -> Iterator[tuple[VM, Profile]]:
    for name, machine in _MACHINES.items():
        made = replace(
            _vm(engine, seed, name, machine, now - machine.changed),
            groups=(machine.group,),
            description=machine.description,
            snapshots=machine.snapshots,
            addresses=_ADDRESSES.get(name, ()) if machine.state is State.RUNNING else (),
        )
        yield made, _machine_profile(machine)


def many_machines(engine: str, seed: int, now: float, count: int) -> Iterator[tuple[VM, Profile]]:
    plain = list(_MACHINES.values())
    for index in range(count):
        name = f"vm-{index:05}"
        machine = plain[index % len(plain)]
        made = replace(_vm(engine, seed, name, machine, now - machine.changed - index), groups=("/load",))
        yield made, _machine_profile(machine)


def _vm(engine: str, seed: int, name: str, machine: _Machine, changed: float) -> VM:
    """In its state since `changed`, Unix time."""
    return VM(
        ref=Ref(engine, Kind.VM, identity(seed, Kind.VM, name)),
        name=name,
        state=machine.state,
        state_word=machine.word,
        os_type=machine.os_type,
        cpus=machine.cpus,
        memory=machine.memory,
        started=changed if machine.state in (State.RUNNING, State.PAUSED) else None,
        changed=changed,
    )


def _machine_profile(machine: _Machine) -> Profile:
    return vm_profile(machine.cpus, machine.memory, machine.cpu)


def vm_profile(cpus: int, memory: int, cpu: float = 0.2) -> Profile:
    """The load of a VM with so many CPUs and bytes of memory."""
    return Profile(
        cpu=cpu,
        memory=memory * 5 // 8,
        receive=30.0 * KB * cpus,
        transmit=11.0 * KB * cpus,
        read=40.0 * KB * cpus,
        write=130.0 * KB * cpus,
        cpu_limit=float(cpus),
        memory_limit=memory,
    )


def disks(seed: int, vm: VM) -> tuple[Disk, ...]:
    machine = _MACHINES.get(vm.name)
    if machine is None:
        return ()
    folder = f"/srv/vms/{vm.name}"
    found = [Disk(identity(seed, Kind.VM, f"{vm.name}/disk"), f"{folder}/{vm.name}.vdi", machine.disk)]
    if vm.name == "build-debian":
        found.append(Disk(identity(seed, Kind.VM, f"{vm.name}/scratch"), f"{folder}/scratch.vdi", 37 * GB))
    if vm.name in SHARED_DISK_USERS:
        other = next(user for user in SHARED_DISK_USERS if user != vm.name)
        found.append(Disk(identity(seed, Kind.VM, "tools"), "/srv/vms/shared/tools.vdi", 3 * GB, other))
    return tuple(found)
