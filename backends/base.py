"""What every engine offers. Abilities beyond this are protocols of their own that an engine has or has not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from backends.model import Action, ActionOptions, Change, EngineInfo, Loss, Ref, Snapshot, Usage

Ability = TypeVar("Ability")


class EngineError(Exception):
    """An engine cannot be reached or used. Both texts are one clean line.

    `reason` says what is the case; `remedy` says what the user can do about it; `absent` is True when the engine
    is simply not installed here, which is no failure.
    """

    def __init__(self, reason: str, remedy: str = "", *, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.absent = absent


class ActionError(Exception):
    """The engine refused an action or could not finish it; `str(error)` is its reason in one clean line."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the configuration says to engines."""

    virtualbox_python: str = ""
    """Command line of the interpreter that can load VirtualBox's binding; empty: find one by trying."""
    virtualbox_network: bool = False
    """Ask VirtualBox's VMs for their network rates. It takes sessions of running VMs, see `virtualbox.traffic`."""


class Backend(ABC):
    """One engine connection. All methods run on the event loop and never block it.

    Any method but `close` may raise EngineError when the connection is down; the caller then calls `connect` again.
    """

    engine: str
    """The key of this connection; see EngineInfo.engine. Fixed from construction."""
    url: str

    @abstractmethod
    async def connect(self) -> EngineInfo:
        """Find the engine and shake hands. Also reconnects. Raises EngineError with the reason and the remedy."""

    @abstractmethod
    async def list_all(self) -> Snapshot:
        """Everything, in as few requests as the engine allows."""

    @abstractmethod
    async def list_some(self, refs: Collection[Ref]) -> Change:
        """Only these objects; those the engine no longer has are in `removed`."""

    @abstractmethod
    def events(self) -> AsyncIterator[frozenset[Ref]]:
        """Refs of objects as they change, until closed. An empty set asks for a full listing.

        Raises EngineError when the stream breaks. An engine without events raises NotImplementedError at the first
        step; it is then listed every two seconds.
        """

    @abstractmethod
    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        """Live load of these running objects; those without figures are left out."""

    def on_screen(self, refs: Collection[Ref]) -> None:
        """These objects are looked at now, those of other engines among them.

        Said before each `usage`: what costs the engine most may be asked for them alone.
        """
        del refs

    @abstractmethod
    async def inspect(self, ref: Ref) -> Any:
        """The engine's full answer as JSON data (dict, list, str, int, float, bool, None), texts cleaned.

        Raises ActionError when the object is gone.
        """

    @abstractmethod
    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        """What this action would destroy beyond the object itself: for its confirmation. May be empty."""

    @abstractmethod
    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        """Do it, and return when the engine says it is done (a VM's stop: when the guest was asked).

        Raises ActionError with the engine's reason in words.
        """

    async def holders(self, paths: Collection[str]) -> Mapping[str, str]:
        """Of these files of this machine, those its VMs have as disks, also by another name: their VMs by path.

        Raises EngineError, ActionError.
        """
        del paths
        return {}

    def ability(self, kind: type[Ability]) -> Ability | None:
        """What does the things of this abstract class for this engine; None when it cannot.

        `EngineInfo.abilities` names the same ones, for those who only ask whether.
        """
        del kind
        return None

    @abstractmethod
    async def close(self) -> None:
        """End streams, threads and child processes of this connection. Never raises, never harms an object."""
