from __future__ import annotations

from dataclasses import replace

from backends.model import Action, ActionOptions, Loss, State
from tests.unit.objects import container, image, vm
from tui.confirmations import CANCEL, DELETE_DISKS, KEEP_DISKS, confirmation, differs, needed, options_from
from widgets.confirm import Answer

DISKS = (
    Loss("/vms/build.vdi", "/vms/build.vdi", 5 << 30),
    Loss("/vms/base.vdi", "/vms/base.vdi", 9 << 30, kept="other VM uses it"),
    Loss("the saved state"),
)


def text_of(asked) -> str:
    return "\n".join(text for text, _ in asked.lines)


def test_destructive_actions_are_always_confirmed_and_interruptions_of_several():
    one, two = [container()], [container(), container("db")]
    for action in (Action.DELETE, Action.KILL, Action.RESET):
        assert needed(action, one)
    for action in (Action.STOP, Action.RESTART, Action.PAUSE, Action.SAVE):
        assert not needed(action, one)
        assert needed(action, two)
    for action in (Action.START, Action.RESUME):
        assert not needed(action, two)


def test_a_vm_that_is_gone_once_it_is_off_is_never_stopped_unasked():
    fleeting, lasting = vm(transient=True), vm("other")
    assert needed(Action.STOP, [fleeting])
    assert not needed(Action.STOP, [lasting])
    for action in (Action.STOP, Action.KILL):
        text = text_of(confirmation(action, [fleeting, lasting], {}))
        assert "build  Debian (64-bit)  running, transient" in text
        assert "once it is off it is gone" in text
    assert "gone" not in text_of(confirmation(Action.KILL, [lasting], {}))


def test_each_of_200_targets_is_named():
    items = [container(f"web-{number:03d}") for number in range(200)]
    text = text_of(confirmation(Action.DELETE, items, {}))
    assert all(item.name in text for item in items)


def test_the_first_choice_is_to_do_nothing():
    for item in (container(), vm(), image()):
        asked = confirmation(Action.DELETE, [item], {})
        assert asked.choices[0].id == CANCEL


def test_what_is_left_out_is_said_with_the_reason():
    asked = confirmation(Action.STOP, [container()], {}, [(container("db", State.EXITED), "db is exited")])
    assert "db: db is exited" in text_of(asked)


def test_deleting_what_runs_needs_force_chosen():
    running = confirmation(Action.DELETE, [container()], {})
    assert [option.id for option in running.options] == ["force"]
    assert not running.options[0].value
    assert confirmation(Action.DELETE, [container(state=State.EXITED)], {}).options == ()


def test_volumes_are_an_explicit_choice_where_there_are_any():
    item = container(state=State.EXITED)
    asked = confirmation(Action.DELETE, [item], {item.ref: (Loss("volume abc", "abc", None),)})
    assert [option.id for option in asked.options] == ["volumes"]
    assert "volume abc" in text_of(asked)


def test_disks_go_only_with_the_name_typed_and_those_used_elsewhere_stay():
    item = vm(state=State.OFF)
    asked = confirmation(Action.DELETE, [item], {item.ref: DISKS})
    assert asked.typed == "build"
    choices = {choice.id: choice for choice in asked.choices}
    assert choices[DELETE_DISKS].needs_typed
    assert not choices[KEEP_DISKS].needs_typed
    assert "1 disk (5.0 GiB)" in choices[DELETE_DISKS].label
    assert "kept: other VM uses it" in text_of(asked)


def test_the_size_of_disks_the_engine_cannot_tell_is_not_shown_as_nothing():
    item = vm(state=State.OFF)
    asked = confirmation(Action.DELETE, [item], {item.ref: (Loss("/vms/build.vdi", "/vms/build.vdi"),)})
    (delete,) = (choice for choice in asked.choices if choice.id == DELETE_DISKS)
    assert delete.label == "Delete with 1 disk"


def test_a_vm_without_disks_of_its_own_offers_to_unregister_only():
    asked = confirmation(Action.DELETE, [vm(state=State.OFF)], {})
    assert [choice.id for choice in asked.choices] == [CANCEL, KEEP_DISKS]
    assert asked.typed == ""


def test_the_answer_becomes_exactly_what_was_chosen():
    assert options_from(Answer(KEEP_DISKS, frozenset()), vm(), DISKS) == ActionOptions()
    assert options_from(Answer(DELETE_DISKS, frozenset()), vm(), DISKS).disks == ("/vms/build.vdi",)
    assert options_from(Answer("delete", frozenset({"force"})), container(), ()) == ActionOptions(force=True)


def test_powering_off_is_called_so_and_says_what_is_lost():
    asked = confirmation(Action.KILL, [vm()], {})
    assert asked.title == "Power off VM build?"
    assert "not written to its disks is lost" in text_of(asked)


def test_force_is_not_extended_to_what_was_shown_at_rest():
    answer = Answer("delete", frozenset({"force"}))
    assert not options_from(answer, container(state=State.EXITED), ()).force
    assert options_from(answer, container(), ()).force


def test_what_changed_since_the_question_is_not_touched():
    shown = container()
    assert differs(shown, shown) is None
    assert differs(shown, None) == "is gone already"
    assert differs(shown, replace(shown, name="other")) == "was renamed to other"
    assert differs(image("a:1"), image("a:1")) is None
    assert differs(image("a:1"), replace(image("a:1"), tags=("a:1", "a:2"))) == "has other tags now"


def test_force_is_offered_for_an_image_only_where_containers_use_it():
    item = image()
    tag = Loss("tag nginx:1.27")
    assert confirmation(Action.DELETE, [item], {item.ref: (tag,)}).options == ()
    used = Loss("also used by web (exited)", kept="the container stays")
    assert [option.id for option in confirmation(Action.DELETE, [item], {item.ref: (tag, used)}).options] == ["force"]
