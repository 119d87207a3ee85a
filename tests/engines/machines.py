"""What the tests of VMs on real engines share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from backends.base import Backend, EngineSettings
from backends.libvirt.backend import LibvirtBackend
from backends.model import Kind, Ref
from backends.progress import Progress
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.virtualbox_engine import PrivateVirtualBox

_T = TypeVar("_T")


class Heard:
    """A Report that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shares: list[int] = []

    def progress(self, progress: Progress) -> None:
        if progress.done is not None:
            self.shares.append(progress.done)

    def line(self, text: str) -> None:
        self.lines.append(text)


def able(backend: Backend, kind: type[_T]) -> _T:
    found = backend.ability(kind)
    assert found is not None
    return found


@asynccontextmanager
async def libvirt_backend(
    libvirt: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch, state: Path
) -> AsyncIterator[LibvirtBackend]:
    """Connected; what it notes goes to the folder `state`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    backend = LibvirtBackend("libvirt", libvirt.url)
    await backend.connect()
    yield backend
    await backend.close()


@asynccontextmanager
async def virtualbox_backend(
    virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch, state: Path
) -> AsyncIterator[VirtualBoxBackend]:
    """Connected; what it notes goes to the folder `state`."""
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await backend.connect()
    yield backend
    await backend.close()


def domain(identity: str) -> Ref:
    return Ref("libvirt", Kind.VM, identity)


def machine(identity: str) -> Ref:
    return Ref("virtualbox", Kind.VM, identity)
