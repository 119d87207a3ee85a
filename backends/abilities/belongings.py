"""Volumes and networks: made, joined and measured. Removing one is the action DELETE, as with every object.

All raise ActionError when the engine refuses and EngineError when it cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from backends.model import Ref

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume to be made. Without a name the engine gives it one, and takes it for anonymous."""

    name: str = ""
    driver: str = "local"
    options: Pairs = ()
    labels: Pairs = ()


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network to be made. Without a subnet the engine takes a free one of its pools."""

    name: str
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    range: str = ""
    """The part of the subnet addresses are given from."""
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    options: Pairs = ()
    labels: Pairs = ()


@dataclass(frozen=True, slots=True)
class Drivers:
    """What the engine can make them with."""

    volume: tuple[str, ...] = ()
    network: tuple[str, ...] = ()


class Volumes(ABC):
    @abstractmethod
    async def create(self, spec: VolumeSpec) -> Ref:
        """Make it; refused where one has the name already, as engines would silently return that one."""

    @abstractmethod
    async def drivers(self) -> Drivers:
        """The drivers the engine has."""


class Networks(ABC):
    @abstractmethod
    async def create(self, spec: NetworkSpec) -> Ref:
        """Make it; refused where one has the name already."""

    @abstractmethod
    async def connect(self, network: Ref, container: Ref, aliases: tuple[str, ...] = (), address: str = "") -> None:
        """Have a container join, under further names and with an IPv4 address of its own where given."""

    @abstractmethod
    async def disconnect(self, network: Ref, container: Ref) -> None:
        """Have it leave."""

    @abstractmethod
    async def drivers(self) -> Drivers:
        """As `Volumes.drivers`."""


class Sizes(ABC):
    """What takes room. The engine walks the files for it: this may take minutes, and is asked on demand only."""

    @abstractmethod
    async def volumes(self) -> Mapping[Ref, int]:
        """Bytes in each volume; those the engine cannot tell are left out. Ends when it is cancelled."""

    @abstractmethod
    async def stopped_containers(self) -> Mapping[Ref, int]:
        """Bytes each container that does not run has written outside of volumes. Ends when it is cancelled."""
