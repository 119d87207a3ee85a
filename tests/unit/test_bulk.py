"""How far work on several objects is, in words; and what is offered again when it failed."""

from __future__ import annotations

from backends.model import ActionOptions
from tui.bulk import Bulk, Standing
from tui.confirmations import preset
from widgets.confirm import Option


def test_each_end_is_counted_and_the_last_one_ends_it():
    told: list[Standing] = []
    batch = Bulk(told.append).begin("stop", 4)
    for name, reason in (("a", None), ("b", "busy"), ("c", None), ("d", None)):
        batch.ended(name, reason)
    assert [standing.text for standing in told] == [
        "stop 4: 0 done, 4 to go",
        "stop 4: 1 done, 3 to go",
        "stop 4: 1 done, 1 failed (b), 2 to go",
        "stop 4: 2 done, 1 failed (b), 1 to go",
        "stop 4: 3 done, 1 failed (b)",
    ]
    assert [standing.ended for standing in told] == [False] * 4 + [True]
    assert (told[-1].tone, told[-1].failed) == ("error", 1)
    assert len({standing.id for standing in told}) == 1


def test_all_done_is_said_and_many_failures_are_not_all_named():
    told: list[Standing] = []
    bulk = Bulk(told.append)
    batch = bulk.begin("start", 2)
    batch.ended("a", None)
    batch.ended("b", None)
    assert (told[-1].text, told[-1].tone) == ("start 2: all done", "ok")
    batch = bulk.begin("start", 2, "c: it is running already")
    batch.ended("a", None)
    assert "left out" not in told[-1].text
    batch.ended("b", None)
    assert told[-1].text == "start 2: all done; left out c: it is running already"
    batch = bulk.begin("kill", 5)
    for name in "abcde":
        batch.ended(name, "no")
    assert told[-1].text == "kill 5: 0 done, 5 failed (a, b, c, ...)"
    assert told[-1].id != told[0].id


def test_one_object_is_no_batch():
    told: list[Standing] = []
    Bulk(told.append).begin("stop", 1).ended("a", None)
    assert not told


def test_boxes_are_checked_again_only_where_all_had_them_checked():
    options = (Option("force", "Force"), Option("volumes", "Volumes", True), Option("other", "Other", True))
    both = ActionOptions(force=True, volumes=True)
    assert [option.value for option in preset(options, [both, both])] == [True, True, True]
    assert [option.value for option in preset(options, [both, ActionOptions(force=True)])] == [True, False, True]
    assert [option.value for option in preset(options, [ActionOptions()])] == [False, False, True]
