from __future__ import annotations

import pytest

from backends.model import Action, Kind, Port, Ref, State
from tests.unit.objects import container, image, vm
from tui.selection import Filter, name_of, ordered, short_id, word_of


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("web", True),
        ("WEB nginx", True),
        ("web postgres", False),
        ("-nginx", False),
        ("-postgres", True),
        (":8080", True),
        ("team=blue", True),
        ("running", True),
        ("-", False),
    ],
)
def test_every_word_must_occur_and_minus_words_must_not(text, matches):
    item = container(ports=(Port(80, "tcp", "", 8080),), labels=(("team", "blue"),))
    item = type(item)(**{**{f: getattr(item, f) for f in item.__slots__}, "ref": Ref("docker", Kind.CONTAINER, "abc")})
    assert Filter(text).matches(item) is matches


def test_only_running_keeps_what_is_active_and_every_image():
    chosen = Filter(only_running=True)
    assert chosen.matches(container())
    assert chosen.matches(container(state=State.PAUSED))
    assert not chosen.matches(container(state=State.EXITED))
    assert not chosen.matches(vm(state=State.SAVED))
    assert chosen.matches(image())


def test_order_is_stable_by_name_and_unknown_figures_come_last_both_ways():
    a, b, c, d = (container(name) for name in "abcd")
    figures = {a.ref: 1.0, b.ref: None, c.ref: 5.0, d.ref: 1.0}
    assert ordered([d, c, b, a], lambda item: figures[item.ref], descending=False) == [a, d, c, b]
    assert ordered([d, c, b, a], lambda item: figures[item.ref], descending=True) == [c, a, d, b]


def test_names():
    assert name_of(image("")) == "image-id"
    assert short_id("sha256:" + "ab" * 32) == "abababababab"


def test_a_vm_is_powered_off_where_a_container_is_killed():
    assert word_of(Action.KILL, Kind.VM) == word_of("kill", "vm") == "power off"
    assert word_of(Action.KILL, Kind.CONTAINER) == "kill"
    assert word_of("clone", Kind.VM) == "clone"
