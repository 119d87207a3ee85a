"""Commands that make containers anew, and put old ones back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.abilities.containers import ASIDE, Existing, Recreate, Recreation, Run
from backends.abilities.images import Pull
from backends.base import ActionError
from backends.model import Container, Image, Item, Kind
from backends.progress import Report
from backends.runs.again import changed
from backends.runs.spec import RunSpec
from tui.confirmations import CANCEL
from tui.handlers.area import RECREATE
from tui.handlers.running import Running, full_name
from tui.run_form import fields_of, read
from tui.selection import short_id
from widgets.confirm import Choice, Confirm
from widgets.form import Field, Form, ToggleField, Values
from widgets.tones import Tone

Line = tuple[str, Tone]


@dataclass(frozen=True, slots=True)
class _Choices:
    pull: bool
    keep: bool
    always: bool


class Recreating(Running):
    async def recreate(self, items: Sequence[Item]) -> None:
        boxes = [item for item in items if isinstance(item, Container)]
        if len(boxes) == 1:
            await self._recreate_one(boxes[0])
        elif boxes:
            await self._recreate_many(boxes)

    async def _recreate_one(self, box: Container) -> None:
        engine = box.ref.engine
        able = self.able(engine, Recreate)
        existing = await able.existing(box.ref)
        if existing.refusal:
            raise ActionError(f"{box.name}: {existing.refusal}")
        shown = existing.spec
        notes: list[Line] = [(self._image_note(box), "info")] if self._image_note(box) else []
        notes += [(note, "dim") for note in (*existing.notes, "Settings without a field here are kept as they are.")]
        form = Form(
            f"Recreate {box.name}",
            (*_choices(), *fields_of(shown, anew=True)),
            submit="Go on",
            notes=notes,
            check=lambda values: read(values, shown)[1],
            slow_check=self._objecting(self.able(engine, Run), box.ref, shown),
            preview=lambda values: _difference(shown, read(values, shown)[0]),
            suggest=self._suggestions(engine),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        wanted, _ = read(values, shown)
        edited = bool(changed(shown, wanted) or wanted.more)
        chosen = _chosen(values)
        lines = _about(box, existing, _difference(shown, wanted), chosen)
        if await self._agreed(f"Recreate {box.name}?", lines):
            self._start(box, wanted if edited else None, wanted.image, chosen)

    async def _recreate_many(self, boxes: Sequence[Container]) -> None:
        notes: list[Line] = [(f"{box.name}  {box.image}  on {box.ref.engine}", "strong") for box in boxes]
        form = Form(f"Recreate {len(boxes)} containers", _choices(), submit="Go on", notes=notes, glyphs=self.glyphs)
        values = await self.ask(form)
        if values is None:
            return
        chosen = _chosen(values)
        lines: list[Line] = []
        for box in boxes:
            existing = await self.able(box.ref.engine, Recreate).existing(box.ref)
            if existing.refusal:
                lines.append((f"{box.name}: left out, {existing.refusal}", "warn"))
                boxes = [other for other in boxes if other is not box]
            else:
                lines += _about(box, existing, "", chosen)
        if boxes and await self._agreed(f"Recreate {len(boxes)} containers?", lines):
            for box in boxes:
                self._start(box, None, box.image, chosen)

    async def put_back(self, items: Sequence[Item]) -> None:
        box = items[0]
        if not isinstance(box, Container):
            return
        able = self.able(box.ref.engine, Recreate)
        name = box.name.removesuffix(ASIDE)
        successor = next((other for other in self._containers(box.ref.engine) if other.name == name), None)
        lines: list[Line] = [(f"{box.name}  {box.image}  {box.state}  on {box.ref.engine}", "strong")]
        if successor is not None:
            lines += [
                ("", ""),
                (f"{name}  {short_id(successor.ref.id)}  {successor.image}  {successor.state}", "strong"),
                (
                    "  is killed and removed, with all files it wrote outside of volumes and mounts, and its logs",
                    "warn",
                ),
            ]
        lines += [("", ""), (f"The old container is called {name} again, and started. Volumes stay.", "")]
        if not await self._agreed(f"Put the old {name} back?", lines, "Put back"):
            return

        async def work(report: Report) -> str:
            return await able.put_back(box.ref, successor.ref if successor else None, report)

        self.app.tasks.start("put back", name, box.ref.engine, work, ref=box.ref, asked=True)

    def _start(self, box: Container, spec: RunSpec | None, image: str, chosen: _Choices) -> None:
        engine = box.ref.engine
        able = self.able(engine, Recreate)
        puller = self.able(engine, Pull) if chosen.pull else None
        how = Recreation(spec, keep=chosen.keep, always=chosen.always)

        async def work(report: Report) -> str:
            if puller is not None:
                await puller.pull(full_name(image), report)
            return await able.recreate(box.ref, how, report)

        self.app.tasks.start(RECREATE, box.name, engine, work, ref=box.ref, asked=True)

    async def _agreed(self, title: str, lines: Sequence[Line], label: str = "Recreate") -> bool:
        choices = (Choice(CANCEL, "Cancel"), Choice("go", label, tone="warn"))
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        return answer is not None and answer.choice == "go"

    def _image_note(self, box: Container) -> str:
        """Whether its image's name means another image by now."""
        images = [item for item in self.app.store.of_kind(Kind.IMAGE) if item.ref.engine == box.ref.engine]
        now = next((item for item in images if isinstance(item, Image) and box.image in item.tags), None)
        if now is None or now.ref.id == box.image_id:
            return ""
        return f"{box.image} is another image by now: {short_id(now.ref.id)} instead of {short_id(box.image_id)}"


def _choices() -> tuple[Field, ...]:
    return (
        ToggleField("pull", "Pull first", help="Fetch the image its tag means at the registry now"),
        ToggleField("keep", "Keep the old one", help=f"Stopped, as NAME{ASIDE}: it can be put back later"),
        ToggleField("always", "Also unchanged", help="Make it anew also from the same image with the same settings"),
    )


def _chosen(values: Values) -> _Choices:
    return _Choices(bool(values["pull"]), bool(values["keep"]), bool(values["always"]))


def _difference(before: RunSpec, after: RunSpec) -> str:
    """What was edited, in one line."""
    told = []
    for name in changed(before, after):
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, tuple) and name not in {"command", "entrypoint"}:
            added = [f"+{entry}" for entry in new if entry not in old]
            removed = [f"-{entry}" for entry in old if entry not in new]
            told.append(f"{name} {' '.join([*removed, *added]) or 'in another order'}")
        elif isinstance(old, tuple):
            told.append(f"{name} {' '.join(new) or 'of the image'}")
        else:
            told.append(f"{name} {new if new not in {None, ''} else 'none'}")
    if after.more:
        told.append(" ".join(after.more))
    return "changes: " + "; ".join(told) if told else "no setting changes"


def _about(box: Container, existing: Existing, difference: str, chosen: _Choices) -> list[Line]:
    lines: list[Line] = [(f"{box.name}  {existing.spec.image}  {box.state}  on {box.ref.engine}", "strong")]
    if difference:
        lines.append((f"  {difference}", ""))
    lines += [(f"  {note}", "dim") for note in existing.notes]
    aside = f"{box.name}{ASIDE}"
    if existing.spec.start:
        lines.append((f"  it is stopped and called {aside}; the new one is started and watched", ""))
        lines.append(("  if that fails, the new one is removed and the old one runs again", ""))
    if chosen.keep:
        lines.append((f"  then {aside} is kept, stopped", ""))
    else:
        lines.append((f"  then {aside} is removed, with all files it wrote outside of volumes and mounts", "warn"))
    lines.append(("  volumes, those without a name too, go on with the new one", ""))
    return lines
