"""The list of containers."""

from __future__ import annotations

from backends.model import Container, Health, Port, State
from tui.formats import age
from tui.rows.fields import (
    CPU,
    CPU_HISTORY,
    MEMORY,
    MEMORY_SHARE,
    NAME,
    READ,
    RECEIVE,
    TRANSMIT,
    WRITE,
    Field,
    Look,
    state_cell,
    state_sort,
)
from widgets.table import Cell, Column
from widgets.tones import Tone


def state_text(container: Container, now: float) -> str:
    """`up 3d`, `exited 137 2h`, `paused`, ...: the state with what a person asks next."""
    match container.state:
        case State.RUNNING if container.started is not None:
            word = "unhealthy" if container.health is Health.UNHEALTHY else "up"
            return f"{word} {age(now - container.started)}"
        case State.EXITED | State.CRASHED:
            words = [container.state_word or container.state]
            if container.exit_code is not None:
                words.append(str(container.exit_code))
            if container.ended is not None:
                words.append(age(now - container.ended))
            return " ".join(words)
    return container.state


def ports_text(ports: tuple[Port, ...]) -> str:
    """Published ports first, as `8080→80`; IPv4 and IPv6 of one port are said once."""
    published: dict[str, None] = {}
    exposed: dict[str, None] = {}
    for port in ports:
        suffix = "" if port.protocol == "tcp" else f"/{port.protocol}"
        if port.host_port is None:
            exposed[f"{port.port}{suffix}"] = None
        else:
            local = f"{port.host_ip}:" if port.host_ip not in {"", "0.0.0.0", "::"} else ""  # noqa: S104
            same = port.host_port == port.port and not local
            published[f"{port.port}{suffix}" if same else f"{local}{port.host_port}→{port.port}{suffix}"] = None
    return " ".join(published) or " ".join(exposed)


_HEALTH: dict[Health, Tone] = {Health.HEALTHY: "ok", Health.UNHEALTHY: "error", Health.STARTING: "info"}


def _state(container: Container, look: Look) -> Cell:
    cell = state_cell(container, look, state_text(container, look.now))
    if container.state is State.EXITED and container.exit_code and cell.tone == "dim":
        return Cell(cell.text, "warn")
    if container.health is Health.UNHEALTHY and cell.tone == "ok":
        return Cell(cell.text, "error")
    return cell


def _health(container: Container, look: Look) -> Cell:
    del look
    return Cell(container.health, _HEALTH[container.health]) if container.health else Cell("")


STATE = Field(Column("state", "STATE", 14, priority=1), _state, state_sort, "state")

FIELDS: tuple[Field, ...] = (
    NAME,
    STATE,
    Field(Column("health", "HEALTH", 9, priority=12), _health, lambda item, _: item.health or "~", "health"),
    CPU,
    CPU_HISTORY,
    MEMORY,
    MEMORY_SHARE,
    Field(
        Column("image", "IMAGE", 14, flex=2, priority=7),
        lambda item, _: Cell(item.image, "dim"),
        lambda item, _: item.image,
        "image",
    ),
    RECEIVE,
    TRANSMIT,
    READ,
    WRITE,
    Field(
        Column("ports", "PORTS", 10, flex=1, priority=13),
        lambda item, _: Cell(ports_text(item.ports), ""),
        lambda item, _: min((port.host_port for port in item.ports if port.host_port), default=None),
        "ports",
    ),
    Field(
        Column("age", "AGE", 4, align="right", priority=14),
        lambda item, look: Cell(age(look.now - item.created), "dim"),
        lambda item, _: -item.created,
        "age",
    ),
)
