"""What each command does: one small method for each id, found by its name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.model import Item
from tui import journal
from tui.commands import BY_ID, COMMANDS, Command, Scope, label_for, unavailable
from tui.confirmations import CANCEL
from tui.screens.help import Help
from tui.screens.main import MainScreen
from tui.selection import Filter, name_of
from widgets.confirm import Answer, Choice, Confirm
from widgets.glyphs import Glyphs
from widgets.picker import Picker, PickItem
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

log = logging.getLogger(__name__)

_PALETTE_TEXT = 52


class Handlers:
    """Runs commands. Those with an engine's action go to Acting; the others are methods named by their id."""

    def __init__(self, app: BoxtopApp) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, command: Command, items: Sequence[Item] | None = None) -> None:
        """Do it; an action to `items` where they were chosen before, else to what is selected or marked now."""
        if command.action is None:
            result = getattr(self, command.id.replace(".", "_"))()
            if result is not None:
                await result
            return
        if not self._listing:
            self._main.say("Choose a row in a list first: 1 containers, 2 VMs, 3 images.")
            return
        if items is None:
            surprise = self._main.active.surprise()
            if surprise:
                self._main.say(surprise, "warn")
                return
            items = self._main.active.targets()
        # a question waits for its answer while the screen goes on
        task = asyncio.create_task(self._app.acting.act(command, items), name=command.id)
        self._tasks.add(task)
        task.add_done_callback(self._acted)

    def _acted(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: %r", task.get_name(), error, exc_info=error)
            self._main.say(f"{task.get_name()} failed inside boxtop: see the log", "error")

    @property
    def _main(self) -> MainScreen:
        return self._app.main

    @property
    def _glyphs(self) -> Glyphs:
        return self._app.look().glyphs

    @property
    def _listing(self) -> bool:
        return self._main.view in {"panes", "boxes"}

    # -- on the row ---------------------------------------------------------------------------------------------

    def item_menu(self) -> None:
        items = self._main.active.targets() if self._listing else []
        if not items:
            self._main.say("Nothing is selected.")
            return
        entries = []
        for command in COMMANDS:
            if command.scope is not Scope.ITEM or command.id == "item.menu":
                continue
            if not any(item.ref.kind in command.kinds for item in items):
                continue
            reason = unavailable(command, items, self._app.store.barred) if command.action else None
            label = _titled(label_for(command, items))
            entries.append(PickItem(command.id, label, self._app.keymap.text(command), reason is None, reason or ""))
        title = name_of(items[0]) if len(items) == 1 else f"{len(items)} marked"
        self._pick(title, entries, items)

    def item_inspect(self) -> None:
        self._main.open_details("inspect")

    def item_copy_name(self) -> None:
        if self._main.in_tree:
            self._copy([self._main.details.data_tree.current_text()], "value")
        else:
            self._copy([name_of(item) for item in self._main.active.targets()], "name")

    def item_copy_id(self) -> None:
        self._copy([item.ref.id for item in self._main.active.targets()], "id")

    def _copy(self, texts: list[str], what: str) -> None:
        if not texts:
            self._main.say("Nothing is selected.")
            return
        self._app.copy_to_clipboard("\n".join(texts))
        said = texts[0][:60] if len(texts) == 1 else f"{len(texts)} {what}s"
        self._main.say(f"Copied {said} (if the terminal takes OSC 52).")

    # -- in a list ----------------------------------------------------------------------------------------------

    def list_mark(self) -> None:
        self._main.active.toggle_mark()
        self._main.draw_keys()

    def list_mark_all(self) -> None:
        self._main.active.toggle_all_marks()
        self._main.draw_keys()

    async def list_filter(self) -> None:
        if self._listing:
            await self._main.ask_filter()

    def list_running(self) -> None:
        pane = self._main.active
        pane.set_filter(Filter(pane.filter.text, not pane.filter.only_running))

    def list_sort(self) -> None:
        pane = self._main.active
        entries = [
            PickItem(field.column.id, field.label, "current" if field.column.id == pane.sort_id else "")
            for field in pane.fields
            if field.column.id != "cpu_history"
        ]

        def sort(chosen: str | None) -> None:
            if chosen:
                pane.sort_by(chosen)

        self._app.push_screen(Picker(f"Sort {pane.noun} by", entries, glyphs=self._glyphs), sort)

    def list_reverse(self) -> None:
        pane = self._main.active
        pane.sort_by(pane.sort_id, descending=not pane.descending)

    # -- details ------------------------------------------------------------------------------------------------

    def details_open(self) -> None:
        self._main.open_details()

    async def details_back(self) -> None:
        await self._main.back()

    def details_next_tab(self) -> None:
        self._step_tab(1)

    def details_previous_tab(self) -> None:
        self._step_tab(-1)

    def _step_tab(self, by: int) -> None:
        main = self._main
        if not self._listing:
            main.say("The details belong to a row in a list.")
        elif main.details.display:
            focused = main.details.has_focus_within
            main.details.step(by)
            if focused:
                main.details.focus_content()
        else:
            main.open_details()

    def details_next_match(self) -> None:
        self._match(1)

    def details_previous_match(self) -> None:
        self._match(-1)

    def _match(self, by: int) -> None:
        tree = self._main.details.data_tree
        if not (self._main.details.display and self._main.details.tab == "inspect"):
            self._main.say("n and N go through the matches of a search in Inspect: press i, then /.")
            return
        if not tree.match_position[1]:
            self._main.say("Nothing is searched for, or nothing was found: press / in Inspect.")
        elif by > 0:
            tree.next_match()
        else:
            tree.previous_match()

    # -- views --------------------------------------------------------------------------------------------------

    async def view_containers(self) -> None:
        await self._main.show_view("panes", self._main.panes[0])

    async def view_vms(self) -> None:
        await self._main.show_view("panes", self._main.panes[1])

    async def view_images(self) -> None:
        await self._main.show_view("panes", self._main.panes[2])

    async def view_boxes(self) -> None:
        await self._main.show_view("boxes", self._main.boxes)

    async def view_host(self) -> None:
        await self._main.show_view("host")

    async def view_journal(self) -> None:
        file = self._app.journal_file
        try:
            entries = await asyncio.to_thread(journal.tail, file)
        except OSError as error:
            self._main.say(f"{file} cannot be read: {error.strerror}", "error")
            return
        await self._main.show_view("journal")
        self._main.journal.fill(entries, str(file))

    def view_zoom(self) -> None:
        if self._main.wide:
            self._main.toggle_zoom()
        elif not self._main.close_details():
            self._main.open_details()

    async def view_next(self) -> None:
        await self._main.step_pane(1)

    async def view_previous(self) -> None:
        await self._main.step_pane(-1)

    # -- boxtop -------------------------------------------------------------------------------------------------

    def app_palette(self) -> None:
        items = self._main.active.targets() if self._listing else []
        entries = []
        for command in COMMANDS:
            if command.id == "app.palette":
                continue
            reason = unavailable(command, items, self._app.store.barred) if command.action else None
            name = _titled(label_for(command, items))
            about = f"{name}: {command.help}" if name.lower() not in command.help.lower() else command.help
            label = about if len(about) <= _PALETTE_TEXT else about[: _PALETTE_TEXT - 1] + self._glyphs.ellipsis
            entries.append(PickItem(command.id, label, self._app.keymap.text(command), reason is None, reason or ""))
        self._pick("Commands", entries, items)

    def _pick(self, title: str, entries: list[PickItem], items: list[Item]) -> None:
        """Offer commands for these objects: an action is done to them, whatever is selected by then."""

        async def run(chosen: str | None) -> None:
            if chosen:
                await self.run(BY_ID[chosen], items)

        self._app.push_screen(Picker(title, entries, glyphs=self._glyphs), run)

    def app_help(self) -> None:
        self._app.push_screen(Help(self._app.keymap, self._glyphs))

    def app_refresh(self) -> None:
        self._app.session.refresh()
        self._main.details.refresh_inspect()

    def app_dismiss(self) -> None:
        self._main.dismiss_newest()

    async def app_demo(self) -> None:
        if self._app.without_engine:
            await self._app.switch_to_demo()
        else:
            self._main.say("The demo is offered when no engine is found; boxtop --demo shows it any time.")

    async def app_quit(self) -> None:
        under_way = self._app.runner.under_way
        if not under_way:
            self._app.exit(0)
            return
        lines: list[tuple[str, Tone]] = [(f"{action} {name_of(item)}", "") for action, item in under_way]
        lines += [
            ("", ""),
            ("What an engine was asked already it goes on with; what waits for its turn is not done,", "warn"),
            ("and a VM that is being restarted may stay off.", "warn"),
        ]
        choices = (Choice(CANCEL, "Stay"), Choice("quit", "Quit", tone="warn"))
        title = f"{len(under_way)} under way: quit all the same?"

        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.choice != CANCEL:
                self._app.exit(0)

        self._app.push_screen(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self._glyphs), answered)


def _titled(label: str) -> str:
    """With a capital at its start; `VMs` stays as it is."""
    return label[:1].upper() + label[1:]
