"""Commands on the selected row that every kind of object has."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Item
from tui.commands import Scope, label_for, offered, unavailable
from tui.grouping import group_path
from tui.handlers.area import Area, titled
from tui.selection import name_of
from widgets.picker import PickItem


class ItemArea(Area):
    at_once = True

    def menu(self, items: Sequence[Item]) -> None:
        group = self.main.active.meant(items)
        entries = []
        # on a header what is done to a project as a whole comes first
        commands = self.app.keymap.commands
        for command in sorted(commands, key=lambda command: group is not None and command.area != "compose"):
            if command.scope is not Scope.ITEM or command.id == "item.menu":
                continue
            if command.area == "compose" and not any(group_path(item) for item in items):
                continue
            if not any(item.ref.kind in command.kinds for item in items):
                continue
            if not offered(command, items, [item.ref.engine for item in items], self.app.store.read_only):
                continue
            reason = unavailable(command, items, self.app.store.rights)
            label = titled(label_for(command, items))
            entries.append(PickItem(command.id, label, self.app.keymap.text(command), reason is None, reason or ""))
        title = name_of(items[0]) if len(items) == 1 else f"{len(items)} marked"
        if group is not None:
            title = (
                f"{titled(group.what)} {group.label}: {group.size}" if group.key.path else f"{group.size} {group.what}"
            )
        self.app.pick_command(title, entries, items)

    def inspect(self, items: Sequence[Item]) -> None:
        del items
        self.main.open_details("inspect")

    def copy_name(self, items: Sequence[Item]) -> None:
        tab = self.main.details.tab_with_keyboard
        copied = tab.copied() if tab else None
        if copied:
            self._copy([copied[0]] if copied[0] else [], copied[1])
        else:
            self._copy([name_of(item) for item in items], "name")

    def copy_id(self, items: Sequence[Item]) -> None:
        self._copy([item.ref.id for item in items], "id")

    def _copy(self, texts: list[str], what: str) -> None:
        if not texts:
            self.main.say(what)
            return
        self.app.copy_to_clipboard("\n".join(texts))
        said = texts[0][:60] if len(texts) == 1 else f"{len(texts)} {what}s"
        if what == "secret":
            said = "the secret"
        self.main.say(f"Copied {said} (if the terminal takes OSC 52).")
