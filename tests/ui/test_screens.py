"""The screen as a whole, as pictures: the demo at three sizes, with its clock standing still."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.boxtop import TestApp, asked, listed, select
from widgets.confirm import Confirm


async def filled(pilot: Pilot[object]) -> TestApp:
    app = await listed(pilot)
    await app.sample(150)
    await pilot.pause()
    return app


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)], ids=["160x48", "100x30", "80x24"])
def test_main_screen(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await filled(pilot)
        await select(pilot, "shop-api")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_all_boxes(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await filled(pilot)
        await pilot.press("0")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(160, 48), run_before=before)


def test_host_view(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await filled(pilot)
        await pilot.press("4")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(160, 48), run_before=before)


def test_question_before_a_vm_is_deleted(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await filled(pilot)
        await pilot.press("2")
        await select(pilot, "lab-fedora")
        await pilot.press("d")
        await asked(pilot, Confirm)
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


PICTURES = {
    "boxtop": "test_screens/test_main_screen[160x48]",
    "groups": "test_groups/test_picture[open-160x48]",
    "logs": "test_logs/test_several_logs_merged[160x48]",
    "screen": "test_screen/test_the_text_read_from_a_console[160x48]",
    "run": "test_containers/test_the_run_form[160x48]",
    "tasks": "test_images/test_tasks_view[160x48]",
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_readmes_pictures_are_those_of_the_tests(name):
    """Pictures in docs/ are snapshots, so that they never show what is not so. After a wanted change: copy them."""
    root = Path(__file__).parents[2]

    def without_ids(path: Path) -> str:
        return re.sub(r"terminal-\d+", "terminal", path.read_text())

    snapshot = root / f"tests/ui/__snapshots__/{PICTURES[name]}.svg"
    assert without_ids(root / f"docs/{name}.svg") == without_ids(snapshot)
