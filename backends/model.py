"""The data that crosses layers: frozen, slotted, plain.

Units: bytes, seconds, Unix time (seconds since 1970, UTC), CPU as a fraction of one core (2.0 is two busy cores).
Every text in here has passed `backends.text` and is safe to draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    CONTAINER = "container"
    VM = "vm"
    IMAGE = "image"
    VOLUME = "volume"
    NETWORK = "network"


class State(StrEnum):
    """One word for a container's or a VM's state; the engine's own word is kept beside it."""

    RUNNING = "running"
    PAUSED = "paused"
    STARTING = "starting"
    STOPPING = "stopping"
    RESTARTING = "restarting"
    SAVING = "saving"
    SAVED = "saved"
    OFF = "off"
    EXITED = "exited"
    CREATED = "created"
    CRASHED = "crashed"
    DELETING = "deleting"
    UNKNOWN = "unknown"


class Health(StrEnum):
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Action(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"
    """A container: a signal, SIGKILL by default. A VM: power off."""
    SAVE = "save"
    RESET = "reset"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Ref:
    """An object's identity. `engine` is the key of the engine connection it was listed by."""

    engine: str
    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Port:
    port: int
    protocol: str
    host_ip: str = ""
    host_port: int | None = None
    """None where the port is exposed but not published."""


@dataclass(frozen=True, slots=True)
class Mount:
    type: str
    source: str
    destination: str
    writable: bool


@dataclass(frozen=True, slots=True)
class Container:
    ref: Ref
    name: str
    image: str
    image_id: str
    command: str
    state: State
    state_word: str
    created: float
    started: float | None = None
    """Unix time of the last start, known only while it runs; exact to the unit the engine's listing shows."""
    ended: float | None = None
    exit_code: int | None = None
    health: Health | None = None
    ports: tuple[Port, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    networks: tuple[tuple[str, str], ...] = ()
    """(network name, IP address or empty)."""
    mounts: tuple[Mount, ...] = ()
    refusals: tuple[tuple[Action, str], ...] = ()
    """Actions this engine cannot do on this object, each with the reason in words."""


@dataclass(frozen=True, slots=True)
class VM:
    ref: Ref
    name: str
    state: State
    state_word: str
    os_type: str
    cpus: int
    memory: int
    """Configured memory, bytes."""
    started: float | None = None
    changed: float | None = None
    """Unix time of the last change of state, where the engine keeps it."""
    groups: tuple[str, ...] = ()
    description: str = ""
    snapshots: int = 0
    autostart: bool = False
    """Whether it starts with its host."""
    addresses: tuple[str, ...] = ()
    """Its guest's IP addresses, as far as they are known; they come some seconds after its start."""
    guest: tuple[tuple[str, str], ...] = ()
    """What its guest tells of itself by an agent or additions in it: (label, value); comes with the addresses."""
    error: str = ""
    """Why the VM is inaccessible, in words."""
    transient: bool = False
    """Its engine has no definition of it: it is gone once it is off."""
    refusals: tuple[tuple[Action, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    ref: Ref
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    created: float
    dangling: bool
    refusals: tuple[tuple[Action, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A named piece of storage of an engine; `ref.id` is its name. Its size costs the engine a walk: see Storage."""

    ref: Ref
    name: str
    driver: str
    mountpoint: str
    created: float | None = None
    labels: tuple[tuple[str, str], ...] = ()
    scope: str = "local"
    anonymous: bool = False
    """The engine named it itself, for a container."""
    options: tuple[tuple[str, str], ...] = ()
    refusals: tuple[tuple[Action, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Subnet:
    subnet: str
    gateway: str = ""
    """Empty where it has none, or the engine does not say."""


@dataclass(frozen=True, slots=True)
class Network:
    ref: Ref
    name: str
    driver: str
    scope: str
    created: float | None = None
    subnets: tuple[Subnet, ...] = ()
    internal: bool = False
    """Without a way out."""
    attachable: bool = False
    builtin: bool = False
    """The engine made it and keeps it."""
    labels: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    refusals: tuple[tuple[Action, str], ...] = ()


Item = Container | VM | Image | Volume | Network

Box = Container | VM
"""What has a state and a load."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One object's live load. None: not known (yet); rates need two samples."""

    time: float
    cpu: float | None = None
    cpu_limit: float | None = None
    """Cores it may use; None without a limit."""
    memory: int | None = None
    """Bytes, less inactive file cache, as `docker stats` counts."""
    memory_limit: int | None = None
    memory_cache: int | None = None
    """Bytes of files it has in memory; the active ones count in `memory` too."""
    network_receive: float | None = None
    network_transmit: float | None = None
    disk_read: float | None = None
    disk_write: float | None = None
    pids: int | None = None
    network_missing: str = ""
    """Why nothing is known of the network, where that is not to change by itself."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    mount: str
    device: str
    type: str
    used: int
    total: int


@dataclass(frozen=True, slots=True)
class HostUsage:
    """The machine boxtop runs on. CPU figures are fractions of one core; `cpu` is the mean over all cores, 0 to 1."""

    time: float
    name: str
    boot: float
    cpu: float
    cores: tuple[float, ...]
    memory_used: int
    memory_total: int
    swap_used: int
    swap_total: int
    load: tuple[float, float, float] | None = None
    disk_read: float | None = None
    disk_write: float | None = None
    network_receive: float | None = None
    network_transmit: float | None = None
    file_systems: tuple[FileSystem, ...] = ()
    temperatures: tuple[tuple[str, float], ...] = ()
    """(sensor, degrees Celsius); empty where none is known."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What answered at an engine's address."""

    engine: str
    """The key of this connection, unique in the program, e.g. `docker`, `podman`, `docker@web-02`."""
    product: str
    """`docker`, `podman`, `virtualbox`, `demo`: what the user calls it."""
    version: str
    url: str
    kinds: tuple[Kind, ...]
    api_version: str = ""
    usage_of_all: bool = True
    """False where each object's usage costs the engine a request: then it is asked only for rows on screen."""
    abilities: frozenset[str] = frozenset()
    """The names of those for which `Backend.ability` has an answer; see `backends.abilities`."""
    notes: tuple[str, ...] = ()
    """Limits to tell the user, one line each, e.g. that VBoxManage stands in for the binding."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything an engine has, at one moment."""

    engine: str
    time: float
    containers: tuple[Container, ...] = ()
    vms: tuple[VM, ...] = ()
    images: tuple[Image, ...] = ()
    volumes: tuple[Volume, ...] | None = None
    """None: not asked this time, what was known of them stands."""
    networks: tuple[Network, ...] | None = None
    """As `volumes`."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of some objects since the last snapshot: the fresh ones, and those that are gone."""

    engine: str
    time: float
    updated: tuple[Item, ...] = ()
    removed: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing an action would destroy, for its confirmation."""

    text: str
    """One line for a person, e.g. a path, a tag, a volume."""
    id: str = ""
    """What names it to the engine in `ActionOptions.disks`; empty where it cannot be chosen."""
    size: int | None = None
    kept: str = ""
    """Why it stays although it belongs to the object (used elsewhere); empty when it goes."""


@dataclass(frozen=True, slots=True)
class ActionOptions:
    """Choices an operator made explicitly in a confirmation. The defaults destroy least."""

    force: bool = False
    volumes: bool = False
    """Remove a container's anonymous volumes with it."""
    signal: str = "SIGKILL"
    timeout: int | None = None
    """Seconds a stop waits before it kills; None: the container's own choice."""
    disks: tuple[str, ...] = ()
    """Exactly the VM media to delete, as `Loss.id` named them; others are kept."""


def image_users(containers: Iterable[Container]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Names of the containers made from each image, by (engine, image id), sorted."""
    users: dict[tuple[str, str], list[str]] = {}
    for container in containers:
        users.setdefault((container.ref.engine, container.image_id), []).append(container.name)
    return {key: tuple(sorted(names)) for key, names in users.items()}


def volume_users(containers: Iterable[Container]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Names of the containers that mount each volume, by (engine, volume name), sorted; stopped ones too."""
    users: dict[tuple[str, str], set[str]] = {}
    for container in containers:
        for mount in container.mounts:
            if mount.type == "volume":
                users.setdefault((container.ref.engine, mount.source), set()).add(container.name)
    return {key: tuple(sorted(names)) for key, names in users.items()}


def network_users(containers: Iterable[Container]) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """(container name, IP address or empty) of each network's containers, by (engine, network name), sorted."""
    users: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for container in containers:
        for name, address in container.networks:
            users.setdefault((container.ref.engine, name), []).append((container.name, address))
    return {key: tuple(sorted(found)) for key, found in users.items()}
