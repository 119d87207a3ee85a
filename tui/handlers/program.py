"""Commands of boxtop itself."""

from __future__ import annotations

from backends.abilities.containers import ASIDE
from tui.commands import label_for, offered, offered_in_view, unavailable, unavailable_in_view
from tui.confirmations import CANCEL
from tui.formats import described
from tui.handlers.area import RECREATE, Area, titled
from tui.screens.help import Help
from tui.selection import name_of, word_of
from widgets.confirm import Answer, Choice, Confirm
from widgets.dialog import Dialog
from widgets.picker import PickItem
from widgets.tones import Tone


class Program(Area):
    at_once = True
    _asking = False
    """Whether the question before the end is on screen."""

    def palette(self) -> None:
        items = self.main.active.targets() if self.main.listing else []
        store, here = self.app.store, self.main.here
        rights, read_only = store.rights, store.read_only
        entries = []
        for command in self.app.keymap.commands:
            if command.id == "app.palette":
                continue
            if command.where not in {"", self.main.view, self.main.place}:
                continue
            if command.where:
                there, reason = offered_in_view(command, here, read_only), unavailable_in_view(command, here, rights)
            else:
                there = offered(command, items, store.engines, read_only)
                reason = unavailable(command, items, rights)
            if not there:
                continue
            name = titled(label_for(command, items))
            label = described(name, command.help)
            entries.append(PickItem(command.id, label, self.app.keymap.text(command), reason is None, reason or ""))
        self.app.pick_command("Commands", entries, items)

    def help(self) -> None:
        self.app.push_screen(Help(self.app.keymap, self.glyphs, self.main.place))

    def refresh(self) -> None:
        self.app.session.refresh()
        self.main.details.ask_again()

    def dismiss(self) -> None:
        self.main.warnings.dismiss_newest()

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
        lines: list[tuple[str, Tone]] = [
            (f"{word_of(action, item.ref.kind)} {name_of(item)}", "") for action, item in acting
        ]
        lines += [(task.title, "") for task in tasks]
        if lines:
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
        if entered:
            lines.append(("What is entered in the form is lost.", "warn"))
        choices = (Choice(CANCEL, "Stay"), Choice("quit", "Quit", tone="warn"))
        under_way = len(acting) + len(tasks)
        title = f"{under_way} under way: quit all the same?" if under_way else "Quit?"
        self._asking = True

        def answered(answer: Answer | None) -> None:
            self._asking = False
            if answer is not None and answer.choice != CANCEL:
                self.app.leave()

        self.app.push_screen(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs), answered)
