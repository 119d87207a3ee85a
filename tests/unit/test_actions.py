"""Which action applies in which state: the table users work by."""

from __future__ import annotations

import pytest

from backends.actions import refusal
from backends.model import VM, Action, Container, Image, Item, Kind, Ref, State

ON = {State.RUNNING, State.PAUSED, State.RESTARTING}
OFF = {State.OFF, State.EXITED, State.CREATED, State.CRASHED, State.SAVED}

CONTAINER = {
    Action.START: OFF | {State.PAUSED},
    Action.STOP: ON,
    Action.RESTART: ON | OFF,
    Action.PAUSE: {State.RUNNING},
    Action.RESUME: {State.PAUSED},
    Action.KILL: ON | {State.STOPPING},
    Action.SAVE: set[State](),
    Action.RESET: set[State](),
    Action.DELETE: ON | OFF | {State.UNKNOWN},
}
VIRTUAL_MACHINE = {
    Action.START: OFF | {State.PAUSED},
    Action.STOP: {State.RUNNING},
    Action.RESTART: {State.RUNNING},
    Action.PAUSE: {State.RUNNING},
    Action.RESUME: {State.PAUSED},
    Action.KILL: ON | {State.STARTING, State.STOPPING, State.CRASHED},
    Action.SAVE: {State.RUNNING, State.PAUSED},
    Action.RESET: {State.RUNNING},
    Action.DELETE: OFF | {State.UNKNOWN},
}


def container(state: State, refusals: tuple[tuple[Action, str], ...] = ()) -> Container:
    return Container(
        Ref("e", Kind.CONTAINER, "1"), "web", "nginx", "sha256:1", "nginx", state, str(state), 0.0, refusals=refusals
    )


def vm(state: State) -> VM:
    return VM(Ref("e", Kind.VM, "1"), "win", state, str(state), "Windows", 1, 1)


def image(refusals: tuple[tuple[Action, str], ...] = ()) -> Image:
    return Image(Ref("e", Kind.IMAGE, "1"), ("a:1",), (), 1, 0.0, False, refusals)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_the_table(action: Action, state: State) -> None:
    for item, table in ((container(state), CONTAINER), (vm(state), VIRTUAL_MACHINE)):
        said = refusal(action, item)
        assert (said is None) == (state in table[action])
        assert said is None or (said and said.isprintable())


@pytest.mark.parametrize(
    ("action", "item", "words"),
    [
        (Action.START, container(State.RUNNING), "web is running already"),
        (Action.RESUME, container(State.RUNNING), "web is running"),
        (Action.STOP, container(State.EXITED), "web is exited"),
        (Action.SAVE, container(State.RUNNING), "memory cannot be saved"),
        (Action.RESET, container(State.RUNNING), "only VMs"),
        (Action.DELETE, vm(State.RUNNING), "power it off first"),
        (Action.START, vm(State.UNKNOWN), "not known"),
        (Action.START, image(), "images do not run"),
    ],
)
def test_a_refusal_says_why(action: Action, item: Item, words: str) -> None:
    assert words in (refusal(action, item) or "")


def test_images_can_only_be_deleted() -> None:
    assert [action for action in Action if refusal(action, image()) is None] == [Action.DELETE]


def test_what_an_engine_cannot_do_goes_before_the_state() -> None:
    why = "this engine has no freezer"
    assert refusal(Action.PAUSE, container(State.RUNNING, ((Action.PAUSE, why),))) == why
    assert refusal(Action.STOP, container(State.RUNNING, ((Action.PAUSE, why),))) is None
    assert refusal(Action.DELETE, image(((Action.DELETE, why),))) == why
