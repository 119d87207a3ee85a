from __future__ import annotations

from tests.unit.objects import container, image
from tui.commands import BY_ID, Rights, unavailable

RIGHTS = Rights(abilities={"docker": frozenset({"images.Pull", "images.Push"})})


def test_a_pull_needs_no_row_and_is_not_about_containers():
    assert unavailable(BY_ID["image.pull"], [], RIGHTS) is None
    assert unavailable(BY_ID["image.pull"], [container()], RIGHTS) is None
    assert unavailable(BY_ID["image.pull"], [image()], RIGHTS) is None
    assert unavailable(BY_ID["image.push"], [], RIGHTS) == "nothing is selected"
    assert unavailable(BY_ID["image.push"], [container()], RIGHTS) == "it is not for containers"


def test_what_has_no_tag_is_not_pushed():
    assert unavailable(BY_ID["image.push"], [image(tags=())], RIGHTS) == "it has no tag: give it one first"
    assert unavailable(BY_ID["image.push"], [image()], Rights(barred={"docker": "docker is read-only"})) == (
        "docker is read-only"
    )
