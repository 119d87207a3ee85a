"""What inspect says of a container's mounts, networks and health, in facts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.widget import Widget

from backends.model import Item
from backends.particulars import HealthLog, MountPoint, attachments, health_log, mount_points, network_mode
from backends.secrets import mask_text
from tui.formats import duration, local_time
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.facts import Fact, Facts, Heading
from widgets.table import Cell
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.details import Details

Entry = Fact | Heading

_HEALTH_TONES: dict[str, Tone] = {"healthy": "ok", "unhealthy": "error", "starting": "info"}
_OUTPUT_LINES = 40
"""Lines of one check's output that are shown; engines keep 4,096 characters of it."""


class FactsTab(AskingTab):
    """Shows what `facts_from` makes of the inspect answer."""

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.facts = Facts(glyphs=frame.look().glyphs)
        super().__init__(spec, frame, self.facts)

    def facts_from(self, answer: Any) -> Sequence[Entry]:
        raise NotImplementedError

    async def ask(self, item: Item) -> Any:
        return await self.frame.inspected(item)

    def show_waiting(self) -> None:
        self.facts.set_facts([Fact("", Cell("asking the engine ...", "dim"))], keep_scroll=False)

    def show_failure(self, reason: str) -> None:
        self.facts.set_facts([Fact("", Cell(reason, "dim"))])

    def show_answer(self, item: Item, answer: Any) -> None:
        del item
        self.facts.set_facts(self.facts_from(answer))

    def main_widget(self) -> Widget:
        return self.facts


class MountsTab(FactsTab):
    def facts_from(self, answer: Any) -> Sequence[Entry]:
        return mount_facts(mount_points(answer))


def mount_facts(mounts: Sequence[MountPoint]) -> list[Entry]:
    if not mounts:
        return [Fact("", Cell("Nothing is mounted into it: what it writes is lost with it.", "dim"))]
    lines: list[Entry] = []
    for mount in mounts:
        lines += [
            Heading(mount.destination),
            Fact("type", mount.type),
            *([Fact("volume", mount.name)] if mount.name else []),
            Fact("source", mount.source or Cell("memory" if mount.type == "tmpfs" else "–", "dim")),
            Fact("access", "read and write" if mount.writable else Cell("read only", "warn")),
        ]
        details = (("driver", mount.driver), ("mode", mount.mode), ("propagation", mount.propagation))
        lines += [Fact(label, text) for label, text in details if text]
    return lines


class NetworksTab(FactsTab):
    def facts_from(self, answer: Any) -> Sequence[Entry]:
        return network_facts(answer)


def network_facts(answer: Any) -> list[Entry]:
    mode, found = network_mode(answer), attachments(answer)
    lines: list[Entry] = [Fact("mode", mode or "–")]
    if mode == "host":
        lines.append(Fact("", Cell("It shares the network of the engine's machine.", "dim")))
    elif mode.startswith("container:"):
        lines.append(Fact("", Cell("It shares the network of that container.", "dim")))
    elif not found:
        lines.append(Fact("", Cell("It is in no network.", "dim")))
    for one in found:
        told = (
            ("address", one.address),
            ("gateway", one.gateway),
            ("IPv6 address", one.address6),
            ("IPv6 gateway", one.gateway6),
            ("MAC", one.mac),
            ("aliases", ", ".join(one.aliases)),
            ("links", ", ".join(one.links)),
        )
        lines += [Heading(one.network), *(Fact(label, text) for label, text in told if text)]
        if not one.address and not one.address6:
            lines.append(Fact("", Cell("no address now", "dim")))
    return lines


class HealthTab(FactsTab):
    every: ClassVar[float | None] = 5.0

    async def ask(self, item: Item) -> Any:
        return await self.frame.inspected(item, fresh=True)

    def facts_from(self, answer: Any) -> Sequence[Entry]:
        return health_facts(health_log(answer), self.frame.look().now)


def health_facts(log: HealthLog, now: float) -> list[Entry]:
    if not log.test and not log.status and not log.checks:
        return [Fact("", Cell("No health check is defined, by the image or where it was created.", "dim"))]
    lines: list[Entry] = [Fact("health", Cell(log.status or "–", _HEALTH_TONES.get(log.status, "")))]
    if log.streak:
        lines.append(Fact("failures in a row", Cell(str(log.streak), "error")))
    lines.append(Fact("check", mask_text(_command(log.test)) if log.test else "–"))
    spans = (("every", log.interval), ("gives up after", log.timeout), ("start period", log.start_period))
    lines += [Fact(label, _span(seconds)) for label, seconds in spans if seconds is not None]
    if log.retries is not None:
        lines.append(Fact("unhealthy after", f"{log.retries} failure{'' if log.retries == 1 else 's'} in a row"))
    for check in log.checks:
        passed = check.exit_code == 0
        when = "–" if check.start is None else f"{local_time(check.start)}, {duration(now - check.start)} ago"
        took = "" if check.seconds is None else f", took {_span(check.seconds)}"
        lines += [
            Heading(when),
            Fact(
                "result",
                Cell(f"{'passed' if passed else f'failed with {check.exit_code}'}{took}", "ok" if passed else "error"),
            ),
        ]
        output = mask_text(check.output).splitlines()
        lines += [Fact("output" if not at else "", text) for at, text in enumerate(output[:_OUTPUT_LINES])]
        if len(output) > _OUTPUT_LINES:
            lines.append(Fact("", Cell(f"{len(output) - _OUTPUT_LINES} more lines: see Inspect", "dim")))
    if not log.checks:
        lines += [Heading("Checks"), Fact("", Cell("The engine has none yet.", "dim"))]
    return lines


def _command(test: Sequence[str]) -> str:
    """Docker's `["CMD-SHELL", "line"]` and `["CMD", "program", ...]` as one would type them."""
    if test[0] == "CMD-SHELL":
        return " ".join(test[1:])
    return shlex.join(test[1:] if test[0] == "CMD" else test)


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 and seconds % 1 else duration(seconds)
