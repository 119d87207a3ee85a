"""What other engines of this machine use: a file may be a disk of VirtualBox and of libvirt, which know nothing of
each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from backends.base import ActionError, Backend, EngineError
from backends.model import Kind, Loss, Ref
from tui.store import Store

_PATIENCE = 5.0
"""Seconds an engine has for its answer: one that hangs must not keep another from its work."""


async def held_elsewhere(
    store: Store, backend_of: Callable[[str], Backend | None], engine: str, paths: Iterable[str]
) -> dict[str, str]:
    """Of these files of `engine`, those that VMs of other engines have: by path, why they stay."""
    wanted = tuple(path for path in paths if path)
    others = [other.key for other in store.engines_for(Kind.VM) if other.key != engine and not other.lost]
    held: dict[str, str] = {}
    for key in others if wanted else ():
        backend = backend_of(key)
        try:
            found = await asyncio.wait_for(backend.holders(wanted), _PATIENCE) if backend else {}
        except (ActionError, EngineError, TimeoutError):
            continue
        held |= {path: f"also used by {names} on {key}" for path, names in found.items()}
    return held


async def without_held(
    store: Store, backend_of: Callable[[str], Backend | None], losses: Mapping[Ref, Sequence[Loss]]
) -> dict[Ref, tuple[Loss, ...]]:
    """Losses less the files that VMs of other engines have."""
    kept: dict[Ref, tuple[Loss, ...]] = {}
    for engine in {ref.engine for ref in losses}:
        own = {ref: found for ref, found in losses.items() if ref.engine == engine}
        going = [loss.text for found in own.values() for loss in found if loss.id and not loss.kept]
        held = await held_elsewhere(store, backend_of, engine, going)
        for ref, found in own.items():
            kept[ref] = tuple(
                replace(loss, id="", kept=held[loss.text]) if loss.text in held and loss.id else loss for loss in found
            )
    return kept
