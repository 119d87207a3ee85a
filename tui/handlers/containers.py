"""Commands of containers beyond their lifecycle: rename, commit, limits, signals."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from backends import references
from backends.abilities.containers import Commit, CommitOptions, Rename, Update
from backends.base import ActionError
from backends.model import Action, ActionOptions, Container, Image, Item, Kind
from backends.progress import Report
from backends.runs import entries
from tui import limits_form
from tui.confirmations import CANCEL
from tui.handlers.recreation import Recreating
from tui.pull_form import program_of
from widgets.confirm import Choice, Confirm
from widgets.form import Form, TextField, ToggleField, Values
from widgets.picker import Picker, PickItem
from widgets.tones import Tone

_SIGNALS = (
    ("SIGHUP", "hang up: many servers read their configuration again"),
    ("SIGTERM", "ends; the process may tidy up first"),
    ("SIGINT", "interrupts, as Ctrl-C does"),
    ("SIGQUIT", "ends, often with a dump"),
    ("SIGKILL", "ends at once: what is not written is lost"),
    ("SIGUSR1", "means what the program says"),
    ("SIGUSR2", "means what the program says"),
    ("SIGWINCH", "window size changed; Apache and nginx end gracefully"),
    ("SIGSTOP", "stands still until SIGCONT"),
    ("SIGCONT", "goes on"),
    ("SIGALRM", "alarm"),
    ("SIGABRT", "aborts, often with a dump"),
    ("SIGPIPE", "broken pipe"),
    ("SIGCHLD", "a child ended"),
    ("SIGURG", "urgent data"),
    ("SIGIO", "input or output is possible"),
    ("SIGTTIN", "reading from the background"),
    ("SIGTTOU", "writing from the background"),
    ("SIGTSTP", "stands still, as Ctrl-Z"),
)
_HARD = {"SIGKILL", "SIGQUIT", "SIGABRT"}
_LONGEST = 3600


class ContainerArea(Recreating):
    async def rename(self, items: Sequence[Item]) -> None:
        box = _container(items)
        able = self.able(box.ref.engine, Rename)
        taken = {item.name for item in self._containers(box.ref.engine)}
        field = TextField("name", "New name", box.name, help="Letters, digits, _ . and -")

        def check(values: Values) -> Mapping[str, str]:
            name = str(values["name"])
            try:
                entries.check_name(name)
            except ValueError as error:
                return {"name": str(error)}
            if not name:
                return {"name": "it needs a name"}
            return {"name": f"a container is called {name} already"} if name in taken - {box.name} else {}

        program = program_of(self, box.ref.engine)
        form = Form(
            f"Rename {box.name}",
            (field,),
            submit="Rename",
            check=check,
            preview=lambda values: f"{program} rename {box.name} {values['name']}",
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None or values["name"] == box.name:
            return
        if await self.each([box], lambda item: able.rename(item.ref, str(values["name"])), "rename"):
            self.main.say(f"{box.name} is called {values['name']} now.", "ok")

    async def commit(self, items: Sequence[Item]) -> None:
        box = _container(items)
        able = self.able(box.ref.engine, Commit)
        fields = (
            TextField("repository", "Repository", "", "team/app", "Empty: an image without a name"),
            TextField("tag", "Tag", "", "latest"),
            TextField("message", "Message", "", "what was done"),
            TextField("author", "Author", "", "Name <mail@example.org>"),
            ToggleField("pause", "Pause meanwhile", True, "It stands still, so that its files fit together"),
        )
        images = [item for item in self.app.store.of_kind(Kind.IMAGE) if item.ref.engine == box.ref.engine]
        tags = [tag for image in images if isinstance(image, Image) for tag in image.tags]
        program = program_of(self, box.ref.engine)
        form = Form(
            f"Commit {box.name} to an image",
            fields,
            submit="Commit",
            notes=(("Its files, without volumes and mounts.", "dim"),),
            check=_commit_check,
            preview=lambda values: _commit_line(values, box.name, program),
            suggest={"repository": sorted({tag.rpartition(":")[0] for tag in tags})},
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        options = CommitOptions(
            str(values["repository"]),
            str(values["tag"]),
            str(values["message"]),
            str(values["author"]),
            pause=bool(values["pause"]),
        )
        name = f"{options.repository}:{options.tag or 'latest'}" if options.repository else ""

        async def work(_: Report) -> str:
            short = await able.commit(box.ref, options)
            return f"image {short}{f' is {name}' if name else ''}"

        self.main.say(f"Committing {box.name} in the background.")
        self.app.tasks.start("commit", box.name, box.ref.engine, work, ref=box.ref)

    async def update(self, items: Sequence[Item]) -> None:
        box = _container(items)
        able = self.able(box.ref.engine, Update)
        before = await able.limits(box.ref)
        program = program_of(self, box.ref.engine)
        form = Form(
            f"Limits of {box.name}",
            limits_form.fields_of(before),
            submit="Change",
            check=lambda values: limits_form.read(values, before)[1],
            preview=lambda values: limits_form.line_of(before, limits_form.read(values, before)[0], box.name, program),
            suggest={"restart": ("no", "always", "unless-stopped", "on-failure", "on-failure:3")},
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        after, _ = limits_form.read(values, before)
        if after == before:
            self.main.say(f"{box.name}: nothing changed.")
            return
        warnings: list[str] = []

        async def change(item: Item) -> None:
            warnings.extend(await able.update(item.ref, before, after))

        if await self.each([box], change, "update"):
            told = f"{box.name} has its new limits{': ' if warnings else '.'}{'; '.join(warnings)}"
            self.main.say(told, "warn" if warnings else "ok")

    async def signal(self, items: Sequence[Item]) -> None:
        boxes = [item for item in items if isinstance(item, Container)]
        title = boxes[0].name if len(boxes) == 1 else f"{len(boxes)} containers"
        entries_ = [PickItem(name, name, meaning) for name, meaning in _SIGNALS]
        name = await self.ask(Picker(f"Send which signal to {title}?", entries_, glyphs=self.glyphs))
        if name is None:
            return
        if name in _HARD or (len(boxes) > 1 and name in {"SIGTERM", "SIGINT", "SIGSTOP", "SIGTSTP"}):
            lines: list[tuple[str, Tone]] = [
                (f"{box.name}  {box.image}  on {box.ref.engine}", "strong") for box in boxes
            ]
            if name in _HARD:
                lines += [("", ""), ("What the processes have not written is lost.", "warn")]
            choices = (Choice(CANCEL, "Cancel"), Choice("send", f"Send {name}", tone="error"))
            answer = await self.ask(
                Confirm(f"Send {name} to {title}?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs)
            )
            if answer is None or answer.choice != "send":
                return
        options = ActionOptions(signal=name)

        async def send(item: Item) -> None:
            backend = self.app.session.backend(item.ref.engine)
            if backend is None:
                raise ActionError(f"{item.ref.engine} is not connected any more")
            await backend.perform(Action.KILL, item.ref, options)

        done = await self.each(boxes, send, name)
        if done:
            self.main.say(f"{name} was sent to {', '.join(box.name for box in boxes if box in done)}.", "ok")

    async def stop_after(self, items: Sequence[Item]) -> None:
        boxes = [item for item in items if isinstance(item, Container)]
        title = boxes[0].name if len(boxes) == 1 else f"{len(boxes)} containers"
        field = TextField("seconds", "Seconds", "10", "10", "SIGTERM now, SIGKILL after so many seconds; 0: at once")
        notes: list[tuple[str, Tone]] = [(f"{box.name}  {box.image}  on {box.ref.engine}", "strong") for box in boxes]
        form = Form(f"Stop {title}", (field,), submit="Stop", notes=notes, check=_seconds_check, glyphs=self.glyphs)
        values = await self.ask(form)
        if values is None:
            return
        options = ActionOptions(timeout=int(str(values["seconds"])))
        self.app.runner.start_all(Action.STOP, [(box, options) for box in boxes])


def _container(items: Sequence[Item]) -> Container:
    first = items[0]
    if not isinstance(first, Container):
        raise ActionError("it is no container")
    return first


def _seconds_check(values: Values) -> Mapping[str, str]:
    text = str(values["seconds"])
    if not text.isdigit() or int(text) > _LONGEST:
        return {"seconds": f"a number of seconds, 0 to {_LONGEST}"}
    return {}


def _commit_check(values: Values) -> Mapping[str, str]:
    repository, tag = str(values["repository"]), str(values["tag"])
    if not repository:
        return {"tag": "only together with a repository"} if tag else {}
    try:
        if references.parse(repository).tag or "@" in repository:
            return {"repository": "the tag has a field of its own"}
    except ValueError as error:
        return {"repository": str(error)}
    try:
        references.parse(f"{repository}:{tag}" if tag else repository)
    except ValueError as error:
        return {"tag": str(error)}
    return {}


def _commit_line(values: Values, name: str, program: str) -> str:
    words = [program, "commit"]
    words += ["--message", str(values["message"])] if values["message"] else []
    words += ["--author", str(values["author"])] if values["author"] else []
    words += [] if values["pause"] else ["--pause=false"]
    words.append(name)
    if values["repository"]:
        words.append(f"{values['repository']}:{values['tag'] or 'latest'}")
    return shlex.join(words)
