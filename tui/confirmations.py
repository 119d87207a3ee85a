"""What is asked before an action: exact names, what is lost, the safe choice first. Pure data for the dialog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backends.model import (
    VM,
    Action,
    ActionOptions,
    Container,
    Image,
    Item,
    Kind,
    Loss,
    Network,
    Ref,
    State,
    Volume,
)
from tui.formats import size_long
from tui.selection import name_of, short_id
from widgets.confirm import Answer, Choice, Confirm, Option
from widgets.glyphs import Glyphs
from widgets.tones import Tone

Line = tuple[str, Tone]
Losses = Mapping[Ref, Sequence[Loss]]

CANCEL = "cancel"
KEEP_DISKS = "keep"
DELETE_DISKS = "disks"


@dataclass(frozen=True, slots=True)
class Confirmation:
    title: str
    lines: tuple[Line, ...]
    choices: tuple[Choice, ...]
    options: tuple[Option, ...] = ()
    typed: str = ""

    def dialog(self, glyphs: Glyphs) -> Confirm:
        return Confirm(
            self.title,
            self.lines,
            choices=self.choices,
            options=self.options,
            typed=self.typed,
            safe=CANCEL,
            glyphs=glyphs,
        )


def needed(action: Action, items: Sequence[Item]) -> bool:
    """Whether an action has to be confirmed: destructive ones always, interrupting ones on more than one object."""
    if action in {Action.DELETE, Action.KILL, Action.RESET}:
        return True
    if action is Action.STOP and any(isinstance(item, VM) and item.transient for item in items):
        return True
    return action in {Action.STOP, Action.RESTART, Action.PAUSE, Action.SAVE} and len(items) > 1


def wants_losses(action: Action) -> bool:
    """Whether the engine is to be asked first what would be destroyed."""
    return action is Action.DELETE


def confirmation(
    action: Action, items: Sequence[Item], losses: Losses, skipped: Sequence[tuple[Item, str]] = ()
) -> Confirmation:
    """The question for these objects, all of one kind. `skipped` are marked ones the action cannot apply to."""
    kind = items[0].ref.kind
    lines: list[Line] = []
    for item in items:
        lines.extend(_about(action, item, losses.get(item.ref, ())))
    if skipped:
        lines.append(("", ""))
        lines.append((f"Left out, {len(skipped)} of the marked:", "dim"))
        lines.extend((f"  {name_of(item)}: {reason}", "dim") for item, reason in skipped)
    warning = _warning(action, kind)
    if action in {Action.STOP, Action.KILL} and any(isinstance(item, VM) and item.transient for item in items):
        lines += [("", ""), (_TRANSIENT, "warn")]
    if warning:
        lines += [("", ""), (warning, "warn")]
    title = f"{_verb(action, kind)} {_counted(items)}?"
    if action is Action.DELETE and kind is Kind.VM:
        return _delete_vms(title, lines, items, losses)
    cancel = Choice(CANCEL, "Cancel")
    data = action is Action.DELETE and kind is Kind.VOLUME
    tone: Tone = "error" if needed(action, items[:1]) else "warn"
    act = Choice(str(action), _verb(action, kind), tone=tone, needs_typed=data)
    typed = (name_of(items[0]) if len(items) == 1 else f"delete {len(items)} volumes") if data else ""
    return Confirmation(title, tuple(lines), (cancel, act), _options(action, items, losses), typed)


def options_from(answer: Answer, item: Item, losses: Sequence[Loss]) -> ActionOptions:
    """What the operator chose for this object, no wider than the question showed it."""
    options = ActionOptions(
        # a container that was shown at rest was not agreed to be killed
        force="force" in answer.options and (not isinstance(item, (Container, VM)) or item.state in _LIVE),
        volumes="volumes" in answer.options,
    )
    if answer.choice == DELETE_DISKS:
        return replace(options, disks=tuple(loss.id for loss in losses if loss.id and not loss.kept))
    return options


def preset(options: Sequence[Option], chosen: Sequence[ActionOptions]) -> tuple[Option, ...]:
    """The boxes to check as they were checked for all of these objects the last time."""
    known = {"force", "volumes"}
    return tuple(
        replace(option, value=all(getattr(last, option.id) for last in chosen)) if option.id in known else option
        for option in options
    )


def differs(shown: Item, now: Item | None) -> str | None:
    """Why an object is no longer what was confirmed, in words; None when it is."""
    if now is None:
        return "is gone already"
    if isinstance(shown, Image) and isinstance(now, Image):
        return None if set(now.tags) == set(shown.tags) else "has other tags now"
    if isinstance(shown, Volume) and isinstance(now, Volume) and shown.created != now.created:
        return "was made anew meanwhile"
    if name_of(now) != name_of(shown):
        return f"was renamed to {name_of(now)}"
    return None


def _delete_vms(title: str, lines: list[Line], items: Sequence[Item], losses: Losses) -> Confirmation:
    going = [loss for item in items for loss in losses.get(item.ref, ()) if loss.id and not loss.kept]
    choices = [Choice(CANCEL, "Cancel"), Choice(KEEP_DISKS, "Unregister, keep disks", tone="warn")]
    typed = ""
    if going:
        sizes = [loss.size for loss in going if loss.size is not None]
        total = f" ({size_long(sum(sizes))})" if len(sizes) == len(going) else ""
        choices.append(
            Choice(
                DELETE_DISKS,
                f"Delete with {len(going)} disk{'s' if len(going) > 1 else ''}{total}",
                tone="error",
                needs_typed=True,
            )
        )
        typed = name_of(items[0]) if len(items) == 1 else f"delete {len(items)} VMs"
    return Confirmation(title, tuple(lines), tuple(choices), (), typed)


def _about(action: Action, item: Item, losses: Sequence[Loss]) -> list[Line]:
    match item:
        case Container():
            text = f"{item.name}  {item.image}  {item.state}"
        case VM():
            text = f"{item.name}  {item.os_type}  {item.error or item.state}{', transient' if item.transient else ''}"
        case Image():
            text = f"{name_of(item)}  {short_id(item.ref.id)}  {size_long(item.size)}"
        case Volume():
            text = f"{item.name}  {item.driver}"
        case Network():
            text = f"{item.name}  {item.driver}  {short_id(item.ref.id)}"
    lines: list[Line] = [(f"{text}  on {item.ref.engine}", "strong")]
    if action is Action.DELETE:
        if isinstance(item, Container) and not losses:
            lines.append(("  the files written in it, and its logs", ""))
        for loss in losses:
            size = f"  {size_long(loss.size)}" if loss.size is not None else ""
            kept = f"  kept: {loss.kept}" if loss.kept else ""
            lines.append((f"  {loss.text}{size}{kept}", "dim" if loss.kept else ""))
    return lines


def _options(action: Action, items: Sequence[Item], losses: Losses) -> tuple[Option, ...]:
    if action is not Action.DELETE:
        return ()
    if isinstance(items[0], Image):
        used = any(loss.kept for item in items for loss in losses.get(item.ref, ()))
        return (Option("force", "Force: remove also from under stopped containers that use it"),) if used else ()
    options = []
    live = [item for item in items if isinstance(item, (Container, VM)) and item.state in _LIVE]
    if live:
        label = "kill it first, as it is running" if len(items) == 1 else f"kill the {len(live)} that are running first"
        options.append(Option("force", f"Force: {label}"))
    if any(loss.id for item in items for loss in losses.get(item.ref, ())):
        options.append(Option("volumes", "Remove the anonymous volumes too; their data is lost"))
    return tuple(options)


_TRANSIENT = "What is marked as transient has no definition: once it is off it is gone. Its disks stay."
_LIVE = {State.RUNNING, State.PAUSED, State.RESTARTING}


def _warning(action: Action, kind: Kind) -> str:
    match action, kind:
        case Action.KILL, Kind.VM:
            return "As pulling the plug: what the guest has not written to its disks is lost."
        case Action.KILL, _:
            return "SIGKILL: what the processes have not written is lost."
        case Action.RESET, _:
            return "As the reset button: what the guest has not written to its disks is lost."
        case Action.DELETE, Kind.CONTAINER:
            return "Named volumes and bind mounts stay."
        case Action.DELETE, Kind.VM:
            return (
                "Unregistering keeps every file. Deleting with disks deletes settings, saved state and snapshots too."
            )
        case Action.DELETE, Kind.VOLUME:
            return "Everything in it is lost for good: volumes have no trash and no undo."
        case Action.DELETE, Kind.NETWORK:
            return "Containers that refer to it do not start until they are given another one."
        case Action.DELETE, _:
            return "The image and all its tags are removed from this engine."
    return ""


def _verb(action: Action, kind: Kind) -> str:
    if action is Action.KILL and kind is Kind.VM:
        return "Power off"
    return str(action).capitalize()


def _counted(items: Sequence[Item]) -> str:
    kind = "VM" if items[0].ref.kind is Kind.VM else str(items[0].ref.kind)
    return f"{kind} {name_of(items[0])}" if len(items) == 1 else f"{len(items)} {kind}s"
