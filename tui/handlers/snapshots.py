"""Commands of the view of a VM's snapshots."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from backends.abilities.snapshots import Op, Snapshots, SnapshotTree, VmSnapshot, refusal
from backends.base import ActionError
from backends.model import VM, Item
from backends.progress import Report
from tui.confirmations import CANCEL, differs
from tui.handlers.area import Area
from tui.handlers.vm import clone, vm_of
from tui.snapshot_rows import named
from tui.snapshot_words import delete_lines, holds, restore_lines
from tui.snapshots_view import SnapshotsView
from widgets.confirm import Choice, Confirm
from widgets.form import ChoiceField, Field, Form, LinesField, TextField, Values
from widgets.tones import Tone

_Work = Callable[[Snapshots, Report], Awaitable[str]]


class SnapshotsArea(Area):
    async def open(self, items: Sequence[Item]) -> None:
        vm = vm_of(items)
        await self.main.show_view("snapshots")
        self.view.turn_to(vm)

    @property
    def view(self) -> SnapshotsView:
        view = self.main.views["snapshots"]
        assert isinstance(view, SnapshotsView)  # noqa: S101
        return view

    # -- its commands -------------------------------------------------------------------------------------------

    async def take(self) -> None:
        vm, tree = self._shown(Op.TAKE)
        form = await self._take_form(vm, tree, _next_name(tree))
        if form is None:
            return
        name, text, memory = form
        self._start(
            vm, "take snapshot", name, lambda able, report: able.take(vm.ref, name, text, report, memory=memory)
        )

    async def restore(self) -> None:
        vm, found = await self._read_anew(Op.RESTORE)
        if found is None:
            return
        tree, snapshot = found
        choices = [Choice(CANCEL, "Cancel")]
        if refusal(Op.TAKE, tree) is None:
            choices.append(Choice("first", "Take one first"))
        choices.append(Choice("restore", "Restore", tone="error"))
        title = f"Take {vm.name} back to {snapshot.name}?"
        lines = restore_lines(vm, tree, snapshot)
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice == CANCEL:
            return
        first: tuple[str, str, bool] | None = None
        if answer.choice == "first":
            first = await self._take_form(vm, tree, f"before {snapshot.name}"[:60])
            if first is None:
                return
        self._unchanged(vm, tree)

        async def work(able: Snapshots, report: Report) -> str:
            if first is not None:
                name, text, memory = first
                report.line(await able.take(vm.ref, name, text, report, memory=memory))
            return await able.restore(vm.ref, snapshot.id, report)

        self._start(vm, "restore snapshot", snapshot.name, work)

    async def delete(self) -> None:
        vm, found = await self._read_anew(Op.DELETE)
        if found is None:
            return
        tree, snapshot = found
        choices = (Choice(CANCEL, "Cancel"), Choice("delete", "Delete", tone="error"))
        lines = delete_lines(vm, tree, snapshot)
        dialog = Confirm(f"Delete {snapshot.name}?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs)
        answer = await self.ask(dialog)
        if answer is None or answer.choice != "delete":
            return
        self._start(vm, "delete snapshot", snapshot.name, lambda able, report: able.delete(vm.ref, snapshot.id, report))

    async def describe(self) -> None:
        vm, tree = self._shown(Op.DESCRIBE)
        snapshot = self._selected(Op.DESCRIBE, tree)
        able = self.able(vm.ref.engine, Snapshots)
        fixed = refusal(Op.RENAME, tree, snapshot)
        description = LinesField("description", "Description", tuple(snapshot.description.split("\n")))
        fields = (description,) if fixed else (TextField("name", "Name", snapshot.name), description)
        form = Form(
            f"{snapshot.name} of {vm.name}",
            fields,
            submit="Change",
            notes=((fixed, "dim"),) if fixed else (),
            slow_check=None if fixed else self._check_of(able, vm, tree, snapshot),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        name = str(values.get("name", snapshot.id if fixed else snapshot.name))
        text = _lines(values)
        if (name, text) == (snapshot.name, snapshot.description):
            return
        if await self.each([vm], lambda _: able.describe(vm.ref, snapshot.id, name, text), "describe snapshot of"):
            self.main.say(f"{snapshot.name} is described anew.", "ok")
        self.view.ask()

    async def clone(self) -> None:
        vm, _ = self._shown(None)
        selected = self.view.selected
        await clone(self, vm, selected.id if selected else "", self.view.ask)

    # -- what they share ----------------------------------------------------------------------------------------

    def _shown(self, op: Op | None) -> tuple[VM, SnapshotTree]:
        """The VM and its tree as shown. Raises ActionError where this cannot be done, with the reason."""
        view = self.view
        vm = view.vm
        if vm is None or view.found is None:
            raise ActionError(view.failure or "the engine has not told of its snapshots yet")
        now = self.app.store.get(vm.ref)
        if not isinstance(now, VM):
            raise ActionError("the VM is gone")
        if reason := self.app.store.rights.barred.get(vm.ref.engine):
            raise ActionError(reason)
        if op in {Op.TAKE, Op.RESTORE, Op.DELETE} and (task := view.under_way):
            raise ActionError(f"{task.title} is under way: wait for its end")
        if op is not None and (reason := refusal(op, view.found)):
            raise ActionError(reason)
        return now, view.found

    async def _read_anew(self, op: Op) -> tuple[VM, tuple[SnapshotTree, VmSnapshot] | None]:
        """The tree as it is now and the selected snapshot in it, for a question that tells what is lost.

        No event tells of everything that forbids it, such as a linked clone. None: it was not waited for.
        """
        vm, shown = self._shown(op)
        chosen = self._selected(op, shown)
        able = self.able(vm.ref.engine, Snapshots)
        tree = await self.wait_for(able.tree(vm.ref), f"Asking {vm.ref.engine} about the snapshots")
        if tree is None:
            return vm, None
        self.view.take_in(vm.ref, tree)
        snapshot = named(tree, chosen.id)
        if snapshot is None:
            raise ActionError(f"{chosen.name} is gone by now")
        if reason := refusal(op, tree, snapshot):
            raise ActionError(reason)
        return vm, (tree, snapshot)

    def _selected(self, op: Op, tree: SnapshotTree) -> VmSnapshot:
        snapshot = self.view.selected
        if snapshot is None:
            raise ActionError("choose a snapshot: this is the present state" if tree.snapshots else "there is none")
        if reason := refusal(op, tree, snapshot):
            raise ActionError(reason)
        return snapshot

    def _unchanged(self, vm: VM, tree: SnapshotTree) -> None:
        """Raises ActionError when the VM is not as the question told: something else would be lost."""
        now = self.app.store.get(vm.ref)
        reason = differs(vm, now)
        if reason is None and isinstance(now, VM) and now.state is not vm.state:
            reason = f"{vm.name} is {now.state} by now"
        if reason is None and self.view.found is not None and self.view.found.current != tree.current:
            reason = f"{vm.name} goes on from another snapshot by now"
        if reason:
            raise ActionError(f"nothing was done: {reason}")

    async def _take_form(self, vm: VM, tree: SnapshotTree, name: str) -> tuple[str, str, bool] | None:
        able = self.able(vm.ref.engine, Snapshots)
        fields: list[Field] = [TextField("name", "Name", name), LinesField("description", "Description")]
        notes: list[tuple[str, Tone]] = []
        if len(tree.memory) > 1:
            labels = {True: "with the memory: it goes on from there", False: "disks only"}
            options = tuple((str(int(memory)), labels[memory]) for memory in tree.memory)
            fields.append(ChoiceField("memory", "Holds", options))
        else:
            notes.append((holds(vm, memory=tree.memory[0]), "dim"))
        form = Form(
            f"Snapshot of {vm.name}",
            fields,
            submit="Take",
            notes=notes,
            slow_check=self._check_of(able, vm, tree),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return None
        memory = values.get("memory")
        return str(values["name"]), _lines(values), tree.memory[0] if memory is None else memory == "1"

    def _check_of(
        self, able: Snapshots, vm: VM, tree: SnapshotTree, own: VmSnapshot | None = None
    ) -> Callable[[Values], Awaitable[Mapping[str, str]]]:
        taken = {one.name for one in tree.snapshots if one is not own}

        async def check(values: Values) -> Mapping[str, str]:
            name = str(values["name"])
            words = await able.objection(vm.ref, name)
            if not words and name in taken:
                words = "a snapshot of it has this name already"
            return {"name": words} if words else {}

        return check

    def _start(self, vm: VM, verb: str, name: str, work: _Work) -> None:
        """Do it as a task, with which the view and the list are kept current."""
        able = self.able(vm.ref.engine, Snapshots)

        async def done(report: Report) -> str:
            try:
                return await work(able, report)
            finally:
                # not every engine tells of its snapshots by events
                self.app.session.refresh_engine(vm.ref.engine)
                self.view.ask()

        self.app.tasks.start(verb, f"{name} of {vm.name}", vm.ref.engine, done, ref=vm.ref)


def _next_name(tree: SnapshotTree) -> str:
    names = {snapshot.name for snapshot in tree.snapshots}
    day = time.strftime("%Y-%m-%d")
    at = 1
    while (name := day if at == 1 else f"{day} {at}") in names:
        at += 1
    return name


def _lines(values: Values) -> str:
    found = values["description"]
    return "\n".join(found) if isinstance(found, tuple) else str(found)
