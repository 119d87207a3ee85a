"""Everything a container can be run with, engine-neutral, in the words of `docker run`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Entries of several values are as after their option: `8080:80/tcp`, `KEY=VALUE`, `/srv/data:/data:ro`."""

    image: str = ""
    name: str = ""
    """Empty: the engine makes one up."""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own; `("",)` runs without one."""
    ports: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    network: str = ""
    restart: str = "no"
    """`no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`."""
    cpus: float | None = None
    """Cores it may use; None: as many as there are."""
    memory: int | None = None
    """Bytes it may use; None: no limit."""
    labels: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    hostname: str = ""
    interactive: bool = False
    tty: bool = False
    remove: bool = False
    """Removed by the engine, with its anonymous volumes, as soon as it ends."""
    start: bool = True
    """False: only created."""
    more: tuple[str, ...] = ()
    """Other options of `docker run`, each as `--name=value` or `--name`; see `backends.runs.options`."""
