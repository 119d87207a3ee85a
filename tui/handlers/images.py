"""Commands of images."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Sequence
from pathlib import Path

from backends import references
from backends.abilities.images import Archives, PruneImages, Pull, Push, Tags
from backends.model import Image, Item, Kind
from backends.progress import Report
from tui import pruning
from tui.confirmations import CANCEL
from tui.formats import size_long
from tui.handlers.area import Area
from tui.pruning import Going, Lot
from tui.pull_form import ask_reference, program_of, start_pull
from tui.selection import Filter, name_of, short_id
from widgets.confirm import Choice, Confirm
from widgets.form import Form, TextField, Values
from widgets.picker import Picker, PickItem
from widgets.tones import Tone


class ImageArea(Area):
    async def pull(self, items: Sequence[Item]) -> None:
        tagged = [item for item in items if isinstance(item, Image) and item.tags]
        if len(tagged) > 1:
            await self._pull_again(tagged)
            return
        engine = await self._engine(items, Pull, "Pull")
        if engine is not None:
            await ask_reference(self, engine, tagged[0].tags[0] if tagged else "")

    async def _pull_again(self, images: Sequence[Image]) -> None:
        lines: list[tuple[str, Tone]] = [(f"{name_of(image)}  on {image.ref.engine}", "strong") for image in images]
        lines.append(("Where the registry has another image by now, the tag moves to it.", ""))
        choices = (Choice(CANCEL, "Cancel"), Choice("pull", "Pull", tone="ok"))
        dialog = Confirm(f"Pull {len(images)} images?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs)
        answer = await self.ask(dialog)
        if answer is not None and answer.choice == "pull":
            for image in images:
                start_pull(self, image.ref.engine, name_of(image))

    async def push(self, items: Sequence[Item]) -> None:
        images = [item for item in items if isinstance(item, Image) and item.tags]
        chosen = [(image, image.tags[0]) for image in images]
        if len(images) == 1 and len(images[0].tags) > 1:
            tag = await self._pick_tag("Push which of its names?", images[0])
            if tag is None:
                return
            chosen = [(images[0], tag)]
        lines: list[tuple[str, Tone]] = []
        for image, tag in chosen:
            lines.append((f"{tag}  {short_id(image.ref.id)}  {size_long(image.size)}  on {image.ref.engine}", "strong"))
            lines.append((f"  to {references.parse(tag).registry}", ""))
        lines += [("", ""), ("A tag of this name that is there already is replaced.", "warn")]
        title = f"Push {chosen[0][1]}?" if len(chosen) == 1 else f"Push {len(chosen)} images?"
        choices = (Choice(CANCEL, "Cancel"), Choice("push", "Push", tone="warn"))
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice != "push":
            return
        for image, tag in chosen:
            able = self.able(image.ref.engine, Push)

            def work(report: Report, able: Push = able, tag: str = tag) -> Awaitable[str]:
                return able.push(tag, report)

            self.app.tasks.start("push", tag, image.ref.engine, work, ref=image.ref, asked=True)

    async def tag(self, items: Sequence[Item]) -> None:
        image = _image(items)
        able = self.able(image.ref.engine, Tags)
        named = {tag: other for other in self._images_of(image.ref.engine) for tag in other.tags}

        def check(values: Values) -> dict[str, str]:
            try:
                wanted = references.parse(str(values["name"]))
            except ValueError as error:
                return {"name": str(error)}
            if wanted.digest:
                return {"name": "a digest is no tag: it follows from the image's content"}
            return {"name": "it has this name already"} if wanted.full in image.tags else {}

        start = image.tags[0].rpartition(":")[0] + ":" if image.tags else ""
        field = TextField("name", "New name", start, "name:tag, or host:5000/team/app:1.2 for a registry")
        source, program = name_of(image), program_of(self, image.ref.engine)
        form = Form(
            f"Tag {source}",
            (field,),
            submit="Tag",
            check=check,
            preview=lambda values: f"{program} tag {source} {values['name']}",
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        name = references.parse(str(values["name"])).full
        before = named.get(name)
        if before is not None and not await self._move(name, before, image):
            return
        if await self.each([image], lambda _: able.tag(image.ref, name), "tag"):
            self.main.say(f"{name} is {short_id(image.ref.id)} now.", "ok")

    async def _move(self, name: str, before: Image, after: Image) -> bool:
        lines: list[tuple[str, Tone]] = [
            (f"{name} is {short_id(before.ref.id)} now, and becomes {short_id(after.ref.id)}", "strong"),
            (
                "It is the other image's last name: that is left dangling."
                if len(before.tags) == 1
                else f"The other image keeps {', '.join(tag for tag in before.tags if tag != name)}.",
                "warn",
            ),
        ]
        choices = (Choice(CANCEL, "Cancel"), Choice("move", "Move the name", tone="warn"))
        answer = await self.ask(Confirm("Move the name?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        return answer is not None and answer.choice == "move"

    async def untag(self, items: Sequence[Item]) -> None:
        image = _image(items)
        able = self.able(image.ref.engine, Tags)
        tag: str | None = image.tags[0]
        if len(image.tags) > 1:
            tag = await self._pick_tag("Take which name away?", image)
        if tag is None:
            return
        rest = [other for other in image.tags if other != tag]
        lines: list[tuple[str, Tone]] = [(f"{tag}  {short_id(image.ref.id)}  on {image.ref.engine}", "strong")]
        if rest:
            lines.append((f"The image stays, as {', '.join(rest)}.", ""))
        else:
            users = self.app.store.users_of(image)
            lines.append((f"It is the last name: the image goes with it, {size_long(image.size)}.", "warn"))
            lines.append(("Layers shared with other images stay.", "dim"))
            if users:
                lines.append((f"Used by {', '.join(users)}: the engine may refuse it.", "warn"))
        choices = (Choice(CANCEL, "Cancel"), Choice("untag", "Untag" if rest else "Remove the image", tone="error"))
        answer = await self.ask(Confirm(f"Untag {tag}?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice != "untag":
            return
        now = self.app.store.get(image.ref)
        if not isinstance(now, Image) or set(now.tags) != set(image.tags):
            self.main.say(f"untag {tag}: the image has other tags now.", "warn")
            return
        chosen = tag
        if await self.each([image], lambda _: able.untag(image.ref, chosen), "untag"):
            self.main.say(f"{tag} is gone.", "ok")

    def history(self, items: Sequence[Item]) -> None:
        del items
        self.main.open_details("layers")

    async def prune(self, items: Sequence[Item]) -> None:
        engine = await self._engine(items, PruneImages, "Prune images")
        if engine is None:
            return
        able = self.able(engine, PruneImages)
        words = Filter(self.main.active.filter.text) if self.main.listing and items else Filter()
        unneeded = await self.wait_for(able.unneeded(), f"Asking {engine} ...")
        if unneeded is None:
            return
        found = [image for image in unneeded if words.matches(image)]
        if not found:
            among = " that the filter shows" if words.active else ""
            self.main.say(f"Every image of {engine}{among} is used by a container.", "ok")
            return
        dangling = tuple(_going(image) for image in found if image.dangling)
        tagged = tuple(_going(image) for image in found if not image.dangling)
        lots = (Lot("dangling", "Dangling", dangling), Lot("all", "Unused, with a tag", tagged))
        note = "Sizes count shared layers, which stay as long as another image has them."
        answer = await self.ask(pruning.question("images", lots, note, self.glyphs))
        if answer is None or answer.choice == CANCEL:
            return
        by_ref = {image.ref: image for image in found}

        async def remove(item: Item) -> None:
            await able.remove(by_ref[item.ref])

        pruning.start(self.app, "images", pruning.chosen(lots, answer.choice), remove)

    async def save(self, items: Sequence[Item]) -> None:
        images = [item for item in items if isinstance(item, Image)]
        engines = {image.ref.engine for image in images}
        if len(engines) > 1:
            self.main.say("save: images of one engine at a time.", "warn")
            return
        names = [name for image in images for name in (image.tags or (image.ref.id,))]
        base = name_of(images[0]).replace("/", "_").replace(":", "_")
        proposed = str(Path.home() / f"{base if len(images) == 1 else f'{len(images)}-images'}.tar")
        title = f"Save {name_of(images[0]) if len(images) == 1 else f'{len(images)} images'} to"
        path = await self.app.browse_host(title, proposed, kind="save")
        if path is None:
            return
        # what is there was agreed to be replaced
        overwrite = await asyncio.to_thread(os.path.lexists, path)
        able = self.able(images[0].ref.engine, Archives)
        size = sum(image.size for image in images)
        what = f"{name_of(images[0])}{f' and {len(images) - 1} more' if len(images) > 1 else ''} to {path}"
        self.app.tasks.start(
            "save",
            what,
            images[0].ref.engine,
            lambda report: able.save(names, path, size, report, overwrite=overwrite),
            asked=overwrite,
        )

    async def load(self, items: Sequence[Item]) -> None:
        engine = await self._engine(items, Archives, "Load")
        if engine is None:
            return
        path = await self.app.browse_host(f"Load images into {engine} from", str(Path.home()), kind="file")
        if path is None:
            return
        able = self.able(engine, Archives)
        self.app.tasks.start("load", path, engine, lambda report: able.load(path, report))

    async def _engine(self, items: Sequence[Item], kind: type, title: str) -> str | None:
        return items[0].ref.engine if items else await self.engine_with(kind, title)

    async def _pick_tag(self, title: str, image: Image) -> str | None:
        entries = [PickItem(tag, tag) for tag in image.tags]
        return await self.ask(Picker(title, entries, glyphs=self.glyphs))

    def _images_of(self, engine: str) -> list[Image]:
        images = self.app.store.of_kind(Kind.IMAGE)
        return [item for item in images if isinstance(item, Image) and item.ref.engine == engine]


def _image(items: Sequence[Item]) -> Image:
    image = items[0]
    assert isinstance(image, Image)  # noqa: S101
    return image


def _going(image: Image) -> Going:
    more = f"also {', '.join(image.tags[1:])}" if len(image.tags) > 1 else ""
    return Going(image, more, image.size)
