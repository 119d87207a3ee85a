"""Commands of boxtop itself."""

from __future__ import annotations

from backends.abilities.containers import ASIDE
from tui.commands import label_for, unavailable
from tui.confirmations import CANCEL
from tui.handlers.area import RECREATE, Area, titled
from tui.screens.help import Help
from tui.selection import name_of
from widgets.confirm import Answer, Choice, Confirm
from widgets.picker import PickItem
from widgets.tones import Tone

_PALETTE_TEXT = 52


class Program(Area):
    at_once = True

    def palette(self) -> None:
        items = self.main.active.targets() if self.main.listing else []
        entries = []
        for command in self.app.keymap.commands:
            if command.id == "app.palette":
                continue
            if command.where not in {"", self.main.view, self.main.place}:
                continue
            reason = unavailable(command, items, self.app.store.rights)
            name = titled(label_for(command, items))
            about = f"{name}: {command.help}" if name.lower() not in command.help.lower() else command.help
            label = about if len(about) <= _PALETTE_TEXT else about[: _PALETTE_TEXT - 1] + self.glyphs.ellipsis
            entries.append(PickItem(command.id, label, self.app.keymap.text(command), reason is None, reason or ""))
        self.app.pick_command("Commands", entries, items)

    def help(self) -> None:
        self.app.push_screen(Help(self.app.keymap, self.glyphs, self.main.place))

    def refresh(self) -> None:
        self.app.session.refresh()
        self.main.details.ask_again()

    def dismiss(self) -> None:
        self.main.dismiss_newest()

    async def demo(self) -> None:
        if self.app.without_engine:
            await self.app.switch_to_demo()
        else:
            self.main.say("The demo is offered when no engine is found; boxtop --demo shows it any time.")

    async def quit(self) -> None:
        acting, tasks = self.app.runner.under_way, self.app.tasks.under_way
        entered = any(screen.unsaved for screen in self.app.screen_stack if isinstance(screen, Dialog))
        if self.app.leaving or not (acting or tasks or entered):
            self.app.leave()
            return
        if self._asking:
            return
        lines: list[tuple[str, Tone]] = [(f"{action} {name_of(item)}", "") for action, item in acting]
        lines += [(task.title, "") for task in tasks]
        lines.append(("", ""))
        if acting:
            lines += [
                ("What an engine was asked already it goes on with; what waits for its turn is not done,", "warn"),
                ("and a VM that is being restarted may stay off.", "warn"),
            ]
        if tasks:
            lines.append(("Tasks are cancelled, and take back what they have begun before boxtop quits.", "warn"))
        lines += [
            (f"{task.target} may be left stopped, as {task.target}{ASIDE}: `put back` in its menu starts it.", "warn")
            for task in tasks
            if task.verb == RECREATE
        ]
        choices = (Choice(CANCEL, "Stay"), Choice("quit", "Quit", tone="warn"))
        title = f"{len(acting) + len(tasks)} under way: quit all the same?"

        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.choice != CANCEL:
                self.app.leave()

        self.app.push_screen(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs), answered)
