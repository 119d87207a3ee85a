"""Objects for tests: a container, a VM, an image with everything that a test does not care for filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backends.model import VM, Container, EngineInfo, Image, Kind, Ref, State

NOW = 1_760_000_000.0


def container(name: str = "web", state: State = State.RUNNING, engine: str = "docker", **changes: Any) -> Container:
    item = Container(
        ref=Ref(engine, Kind.CONTAINER, f"{name}-id"),
        name=name,
        image="nginx:1.27",
        image_id="sha256:image-id",
        command="nginx -g daemon off;",
        state=state,
        state_word=str(state),
        created=NOW - 86_400 * 3,
    )
    return replace(item, **changes)


def vm(name: str = "build", state: State = State.RUNNING, engine: str = "virtualbox", **changes: Any) -> VM:
    item = VM(
        ref=Ref(engine, Kind.VM, f"{name}-uuid"),
        name=name,
        state=state,
        state_word=str(state),
        os_type="Debian (64-bit)",
        cpus=2,
        memory=2 << 30,
    )
    return replace(item, **changes)


def image(tag: str = "nginx:1.27", engine: str = "docker", **changes: Any) -> Image:
    item = Image(
        ref=Ref(engine, Kind.IMAGE, "sha256:image-id"),
        tags=(tag,) if tag else (),
        digests=(),
        size=200 << 20,
        created=NOW - 86_400 * 30,
        dangling=not tag,
    )
    return replace(item, **changes)


def info(engine: str = "docker", *kinds: Kind, **changes: Any) -> EngineInfo:
    base = EngineInfo(engine, engine, "28.5.1", f"{engine}://", kinds or (Kind.CONTAINER, Kind.IMAGE))
    return replace(base, **changes)
