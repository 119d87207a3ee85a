"""Containers whose end the engine's listing does not know yet."""

from dataclasses import replace

from backends.docker.lagging import Lagging
from backends.docker.parse import Parser
from backends.model import State

RUNNING = Parser("docker").containers(
    [{"Id": "a" * 64, "Names": ["/quick"], "State": "running", "Status": "Up Less than a second", "Image": "x"}], 100.0
)[0]


def test_a_container_that_ended_is_asked_about_until_it_is_listed_so():
    lagging = Lagging()
    assert not lagging.behind([RUNNING])
    lagging.saw(RUNNING.ref.id, "die")
    assert lagging.behind([RUNNING]) == lagging.behind([RUNNING]) == {RUNNING.ref}
    assert not lagging.behind([replace(RUNNING, state=State.EXITED)])
    assert not lagging.behind([RUNNING])


def test_one_that_was_started_since_or_is_listed_as_running_for_long_is_believed():
    now = [5.0]
    lagging = Lagging(lambda: now[0])
    lagging.saw(RUNNING.ref.id, "die")
    lagging.saw(RUNNING.ref.id, "start")
    assert not lagging.behind([RUNNING])
    lagging.saw(RUNNING.ref.id, "die")
    now[0] += 10.0
    assert not lagging.behind([RUNNING])
