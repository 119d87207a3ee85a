"""What holds for Debian's engine holds for a newer one, which keeps its images in containerd: the same tests again."""

from __future__ import annotations

import pytest

from tests.engines.docker_backend import connected
from tests.engines.newer_docker import NewerDocker
from tests.engines.test_docker_backend import (
    test_a_containers_facts,
    test_a_tag_that_a_build_moves_meanwhile_stays_with_its_new_image,
    test_actions_change_the_engines_own_state,
    test_an_image_goes_with_all_its_tags,
    test_an_image_in_use_stays_with_all_its_tags_unless_forced,
    test_events_name_what_changed,
    test_every_state_is_listed_right,
    test_image_events_name_the_image,
    test_load_agrees_with_the_engines_own_figures,
    test_volumes_go_only_when_chosen,
)
from tests.engines.test_inside import test_changes_as_docker_tells_them

__all__ = [
    "test_a_containers_facts",
    "test_a_tag_that_a_build_moves_meanwhile_stays_with_its_new_image",
    "test_actions_change_the_engines_own_state",
    "test_an_image_goes_with_all_its_tags",
    "test_an_image_in_use_stays_with_all_its_tags_unless_forced",
    "test_changes_as_docker_tells_them",
    "test_events_name_what_changed",
    "test_every_state_is_listed_right",
    "test_image_events_name_the_image",
    "test_load_agrees_with_the_engines_own_figures",
    "test_volumes_go_only_when_chosen",
]

pytestmark = pytest.mark.docker


@pytest.fixture
def docker(newer_docker: NewerDocker) -> NewerDocker:
    return newer_docker


async def test_it_is_newer(newer_docker: NewerDocker) -> None:
    async with connected(newer_docker.url) as backend:
        info = await backend.connect()
    assert int(info.version.partition(".")[0]) >= 28
    assert newer_docker.client.info()["Driver"] == "overlayfs", "images are not kept in containerd"
