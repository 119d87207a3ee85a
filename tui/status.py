"""The two lines on top and what is said of engines that do not answer: pure, from the store."""

from __future__ import annotations

import time
from collections.abc import Sequence

from backends.model import Kind
from tui.formats import percent, size
from tui.rows.fields import Look
from tui.store import Engine
from widgets.charts import meter, spark
from widgets.line import Part
from widgets.tones import Tone


def top_line(look: Look, *, demo: bool, work: Sequence[Part] = ()) -> tuple[list[Part], list[Part]]:
    """(left, right): the program, the machine and its engines; whether it may change anything, and the time.

    `work`: what is said of tasks in the background.
    """
    store = look.store
    left = [Part("boxtop ", "strong")]
    if demo:
        left.append(Part(" DEMO: simulated engines ", "warn"))
    elif store.host:
        left.append(Part(f" {store.host.name} ", priority=3))
    for engine in store.engines.values():
        left.extend(_engine_parts(engine, look))
    read_only = store.read_only
    if read_only and len(read_only) == len(store.engines):
        mode = Part("read-only", "warn", priority=1)
    elif read_only:
        mode = Part(f"read-only: {', '.join(read_only)}", "warn", priority=1)
    else:
        mode = Part("read-write", "dim", priority=4)
    return [*left, *work], [mode, Part(time.strftime("  %H:%M", time.localtime(look.now)), priority=2)]


def _engine_parts(engine: Engine, look: Look) -> list[Part]:
    name = engine.info.product if engine.info and engine.key == engine.info.product else engine.key
    if engine.connected and engine.info:
        version = ".".join(engine.info.version.split(".")[:2]) if engine.info.version else ""
        return [
            Part(f" {name}", ""),
            Part(f" {version}" if version else "", "dim", priority=5),
            Part(f" {look.marks.connected} ", "ok"),
        ]
    if engine.lost is None:
        return [Part(f" {name} ... ", "dim")]
    if engine.lost.absent:
        return [Part(f" {name} - ", "dim", priority=6)]
    return [Part(f" {name} {look.marks.lost} ", "error")]


def host_line(look: Look) -> list[Part]:
    """The host's load, always in view. Per cent of the whole machine here, not of one core."""
    host, history = look.store.host, look.store.host_history
    if host is None:
        return [Part("host ...", "dim")]
    marks = look.marks
    share = host.memory_used / host.memory_total if host.memory_total else 0.0
    parts = [
        Part("cpu "),
        Part(spark(history.last("cpu", 16), 8, 1.0, look.glyphs), "accent", priority=3),
        Part(f" {percent(host.cpu, cores=False):>4}", _load_tone(host.cpu)),
        Part("  mem "),
        Part(meter(share, 8, look.glyphs), "accent", priority=4),
        Part(f" {percent(share, cores=False):>4}", _load_tone(share)),
        Part(f" {size(host.memory_used)}/{size(host.memory_total)}", "dim", priority=2),
    ]
    if host.swap_total and host.swap_used:
        swap = host.swap_used / host.swap_total
        parts.append(Part(f"  swap {percent(swap, cores=False)}", _load_tone(swap), priority=5))
    if host.disk_read is not None:
        parts.append(Part(f"  disk r {size(host.disk_read):>5} w {size(host.disk_write):>5}", priority=6))
    if host.network_receive is not None:
        received, sent = size(host.network_receive), size(host.network_transmit)
        parts.append(Part(f"  net {marks.down}{received:>5} {marks.up}{sent:>5}", priority=7))
    if host.load is not None:
        parts.append(Part(f"  load {host.load[0]:.2f} {host.load[1]:.2f} {host.load[2]:.2f}", priority=8))
    if host.temperatures:
        parts.append(Part(f"  {max(value for _, value in host.temperatures):.0f}°C", priority=9))
    return parts


def _load_tone(share: float) -> Tone:
    return "error" if share >= 0.95 else "warn" if share >= 0.8 else ""


def loss_text(engine: Engine, now: float) -> str:
    """One line about an engine that is lost: since when, why, when it is tried again."""
    lost = engine.lost
    if lost is None:
        return ""
    if lost.absent:
        return f"{engine.key}: {lost.reason}"
    since = time.strftime("%H:%M", time.localtime(lost.since))
    wait = max(0, round(lost.retry_at - now))
    return f"{engine.key} unreachable since {since} – retrying in {wait} s ({lost.reason})"


def no_engine(look: Look) -> bool:
    """Whether every engine was looked for and none ever answered."""
    engines = look.store.engines.values()
    return bool(engines) and all(engine.lost is not None and engine.info is None for engine in engines)


def empty_message(kinds: Sequence[Kind], look: Look, *, filtered: bool, noun: str) -> list[tuple[str, Tone]]:
    """What an empty list says: what was looked for, what came of it, and what to do."""
    if filtered:
        return [(f"None of the {noun} matches. Esc shows all of them.", "dim")]
    engines = [engine for engine in look.store.engines.values() if set(kinds) & set(engine.kinds)]
    if not engines:
        return [(f"No engine here has {noun}.", "dim")]
    lines: list[tuple[str, Tone]] = []
    for engine in engines:
        if engine.lost is not None:
            lines.append((f"{engine.key}: {engine.lost.reason}", "warn"))
            if engine.lost.remedy:
                lines.append((f"  {engine.lost.remedy}", ""))
        elif not engine.listed:
            lines.append((f"{engine.key}: connecting ...", "dim"))
        else:
            lines.append((f"{engine.key} has no {noun}.", "dim"))
    if no_engine(look):
        lines += [("", ""), ("Press D to see boxtop at work on simulated engines.", "accent")]
    return lines
