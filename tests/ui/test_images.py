"""Images and background tasks on the simulated engines: keys, forms, questions, progress, pictures."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.base import ActionError
from backends.model import Image, Kind, Ref
from backends.progress import Part, Progress, Report
from tests.ui.boxtop import TestApp, listed, until
from tui.app import BoxtopApp
from tui.journal import tail
from tui.options import HostOption
from tui.tasks import TaskState
from widgets.confirm import Confirm
from widgets.form import Form
from widgets.picker import Picker

SIZE, SMALL = (160, 48), (80, 24)
FAST = (HostOption("demo://docker?pace=0"),)
MB = 1 << 20


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", hosts=FAST)


def tagged(app: TestApp, tag: str) -> Image | None:
    images = app.store.of_kind(Kind.IMAGE)
    return next((image for image in images if isinstance(image, Image) and tag in image.tags), None)


async def at_image(pilot: Pilot[object], tag: str) -> Ref:
    """The list of images, with the cursor on this one."""
    app = await listed(pilot)
    await pilot.press("3")
    image = tagged(app, tag)
    assert image is not None
    assert app.main.active.table.select(image.ref)
    await pilot.pause()
    return image.ref


async def shown(pilot: Pilot[object], kind: type) -> object:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), f"a {kind.__name__}")
    return pilot.app.screen


async def filled(pilot: Pilot[object], **values: str) -> None:
    """Fill the form that comes and send it."""
    form = await shown(pilot, Form)
    assert isinstance(form, Form)
    form.set_values(values)
    await pilot.press("ctrl+s")


async def titled(pilot: Pilot[object], title: str) -> None:
    """Until a picker with this in its title is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Picker) and title in pilot.app.screen._title, title)


def text_of(dialog: object) -> str:
    assert isinstance(dialog, Confirm)
    return "\n".join(text for text, _ in dialog._texts)


def said(app: BoxtopApp) -> str:
    return "\n".join(text for _, text, _ in app.main.notices.entries)


async def test_a_pull_runs_in_the_background_and_is_told_and_written_down(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        await pilot.press("P")
        form = await shown(pilot, Form)
        assert form.values["reference"] == "postgres:17"
        await filled(pilot, reference="Bad Name")
        await pilot.pause()
        assert app.screen is form
        await filled(pilot, reference="nginx")
        await until(pilot, lambda: tagged(app, "nginx:latest"), "the image in the list")
        await until(pilot, lambda: "Downloaded newer image for nginx:latest" in said(app), "the message")
        await until(pilot, lambda: len(tail(app.journal_file)) == 1, "the journal's line")
    entry = tail(app.journal_file)[0]
    assert (entry.action, entry.name, entry.result) == ("pull", "nginx:latest", "done")


async def test_marked_images_are_pulled_one_task_each(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        names = ("postgres:17", "redis:7.4-alpine", "traefik:3.3")
        app.main.active.set_marks([tagged(app, name).ref for name in names])
        await pilot.press("P")
        text = text_of(await shown(pilot, Confirm))
        assert all(name in text for name in names)
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(app.tasks.all) == 3 and not app.tasks.under_way, "three pulls")
        assert {task.result for task in app.tasks.all} == {f"Image is up to date for {name}" for name in names}


async def test_a_failure_stays_until_it_is_dismissed_or_tried_again(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "shop/web:2.14.0")
        await pilot.press("U")
        picker = await shown(pilot, Picker)
        assert len(picker._items) == 2
        await pilot.press("enter")
        text = text_of(await shown(pilot, Confirm))
        assert "to docker.io" in text
        await pilot.press("right", "enter")
        await until(pilot, lambda: "to log in: docker login" in said(app), "the failure")
        await pilot.press("8", "r")
        assert "with the choices made then" in text_of(await shown(pilot, Confirm))
        await pilot.press("enter")
        await pilot.pause()
        assert [task.id for task in app.tasks.all] == [1], "the safe choice has the keyboard"
        await pilot.press("r")
        await shown(pilot, Confirm)
        await pilot.press("right", "enter")
        await until(pilot, lambda: [task.id for task in app.tasks.all] == [2], "another task in its place")
        await until(pilot, lambda: not app.tasks.under_way, "its end")
        await until(pilot, lambda: "to log in: docker login" in said(app), "its failure")
        await pilot.press("x")
        await pilot.pause()
        assert "to log in" not in said(app)
        await pilot.press("d")
        await until(pilot, lambda: not app.tasks.all, "it is forgotten")


async def test_a_tag_for_a_registry_is_pushed_there_and_listed_and_pulled_again(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "traefik:3.3")
        name = "registry.demo:5000/edge/traefik:3.3"
        await pilot.press("T")
        await filled(pilot, name="traefik:3.3")
        await pilot.pause()
        assert isinstance(app.screen, Form)  # it has that name already
        await filled(pilot, name=name)
        await until(pilot, lambda: tagged(app, name), "the tag")
        await pilot.press("U")
        await shown(pilot, Picker)
        await pilot.press("r", "e", "g", "enter")
        assert "to registry.demo:5000" in text_of(await shown(pilot, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the push")
        assert app.tasks.all[0].state is TaskState.DONE
        await pilot.press("m", *"browse", "enter")
        for title, typed in (("Registry", ""), ("7 repositories", "edge"), ("1 tags", "")):
            await titled(pilot, title)
            await pilot.press(*typed, "enter")
        assert (await shown(pilot, Form)).values["reference"] == name
        for title in ("1 tags", "7 repositories", "Registry"):
            await pilot.press("escape")
            await titled(pilot, title)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, "the list again")


async def test_taking_the_last_name_says_what_goes_with_it(app):
    async with app.run_test(size=SMALL) as pilot:
        ref = await at_image(pilot, "shop/web:2.14.0")
        await pilot.press("m", *"untag", "enter")
        await shown(pilot, Picker)
        await until(pilot, lambda: "Take which name" in getattr(app.screen, "_title", ""), "the choice of a name")
        await pilot.press(*"latest", "enter")
        assert "The image stays, as shop/web:2.14.0." in text_of(await shown(pilot, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: tagged(app, "shop/web:latest") is None, "the name is gone")
        await until(pilot, lambda: app.screen is app.main, "the list")
        await pilot.press("m", *"untag", "enter")
        text = text_of(await shown(pilot, Confirm))
        assert "It is the last name: the image goes with it" in text
        assert "Used by shop-web" in text
        await pilot.press("right", "enter")
        await until(pilot, lambda: "container" in said(app) and "untag" in said(app), "the engine's refusal")
        assert app.store.get(ref) is not None


async def test_a_name_another_image_has_is_moved_only_when_agreed(app):
    async with app.run_test(size=SMALL) as pilot:
        ref = await at_image(pilot, "traefik:3.3")
        before = tagged(app, "registry:2").ref
        await pilot.press("T")
        await filled(pilot, name="registry:2")
        assert "last name: that is left dangling" in text_of(await shown(pilot, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "the question is gone")
        assert tagged(app, "registry:2").ref == before
        await pilot.press("T")
        await filled(pilot, name="registry:2")
        await shown(pilot, Confirm)
        await pilot.press("right", "enter")
        await until(pilot, lambda: tagged(app, "registry:2").ref == ref, "it is moved")
        assert app.store.get(before).dangling


async def test_prune_lists_what_goes_and_removes_exactly_that(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        dangling = {item.ref for item in app.store.of_kind(Kind.IMAGE) if item.dangling}
        await pilot.press("X")
        text = text_of(await shown(pilot, Confirm))
        assert "Dangling: 2, 525 MiB" in text
        assert "node:22-bookworm" in text
        assert "postgres:17" not in text
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the prune")
        await until(pilot, lambda: not any(app.store.get(ref) for ref in dangling), "they are gone")
        assert tagged(app, "node:22-bookworm")


async def test_prune_takes_no_image_that_the_filter_hides(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        await pilot.press("slash", *"node", "enter", "X")
        text = text_of(await shown(pilot, Confirm))
        assert "node:22-bookworm" in text
        assert "Dangling" not in text


async def test_a_search_leads_to_a_pull(app):
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        await pilot.press("I")
        await filled(pilot, term="nginx")
        await shown(pilot, Picker)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form) and "reference" in app.screen.values, "the pull form")
        assert app.screen.values["reference"] == "nginx"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: tagged(app, "nginx:latest"), "the image")


async def test_save_and_load_ask_for_a_path(app, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    asked: list[tuple[str, str, str]] = []

    async def browse(title: str, start: str = "", *, kind: str = "file") -> str:
        asked.append((title, start, kind))
        return start if kind == "save" else str(tmp_path / "Some.Image.tar")

    monkeypatch.setattr(app, "browse_host", browse)
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "shop/web:2.14.0")
        await pilot.press(">")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "it is saved")
        assert app.tasks.all[0].title == f"save shop/web:2.14.0 to {tmp_path}/shop_web_2.14.0.tar"
        await pilot.press("<")
        await until(pilot, lambda: tagged(app, "loaded/some:latest"), "it is loaded")
    assert [(title, kind) for title, _, kind in asked] == [
        ("Save shop/web:2.14.0 to", "save"),
        ("Load images into docker from", "file"),
    ]


async def test_a_read_only_engine_is_not_pulled_to(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=FAST, read_only=True)
    async with app.run_test(size=SMALL) as pilot:
        await at_image(pilot, "postgres:17")
        for key in "PUTX<":
            await pilot.press(key)
            await until(pilot, lambda: "read-only" in said(app), f"the reason for {key}")
            app.main.notices.dismiss("info")
        assert app.screen is app.main
        # looking is no change, what it leads to is
        await pilot.press("I")
        await filled(pilot, term="nginx")
        await shown(pilot, Picker)
        await pilot.press("enter")
        await until(pilot, lambda: "read-only" in said(app), "the reason")
        assert not app.tasks.all


async def endless(report: Report) -> str:
    report.progress(Progress("pulling", 1, 4))
    await asyncio.sleep(3600)
    return "never"


async def test_cancelling_asks_and_quitting_too(app):
    async with app.run_test(size=SMALL) as pilot:
        await listed(pilot)
        task = app.tasks.start("pull", "slow", "docker", endless)
        await until(pilot, lambda: any("1 task" in part.text for part in app.main.top._left), "the top line tells")
        await pilot.press("q")
        assert "pull slow" in text_of(await shown(pilot, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "it stays")
        await pilot.press("8", "c")
        await shown(pilot, Confirm)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "it goes on")
        assert task.open
        await pilot.press("c")
        await shown(pilot, Confirm)
        await pilot.press("right", "enter")
        await until(pilot, lambda: task.state is TaskState.CANCELLED, "it is cancelled")
        await until(pilot, lambda: not any("task" in part.text for part in app.main.top._left), "the top line is quiet")
        await pilot.press("D")
        await until(pilot, lambda: not app.tasks.all, "it is forgotten")


async def test_a_flood_of_news_is_drawn_a_few_times_a_second(app):
    async def flood(report: Report) -> str:
        for number in range(400):
            report.line(f"line {number}")
            report.progress(Progress("building", number, 400, bytes=False))
            await asyncio.sleep(0.001)
        return "done"

    async with app.run_test(size=SMALL) as pilot:
        await listed(pilot)
        await pilot.press("8")
        view = app.main.views["tasks"]
        drawn = 0
        draw = view.draw

        def counted() -> None:
            nonlocal drawn
            drawn += 1
            draw()

        view.draw = counted
        began = time.monotonic()
        task = app.tasks.start("build", "x", "docker", flood)
        await until(pilot, lambda: not task.open, "the end")
        await pilot.pause(0.3)
        assert drawn <= (time.monotonic() - began) / 0.2 + 2
        assert view.output.total_lines() > 400


def stand_still(app: TestApp) -> None:
    """Tasks in each state, none of which moves."""

    async def pull(report: Report) -> str:
        report.line("Pulling from shop/api")
        parts = (
            Part("4f1c0e77d2a9", "Pull complete", 27 * MB, 27 * MB),
            Part("be3a71c05d42", "Extracting", 12 * MB, 61 * MB),
            Part("90d2f85e6a17", "Downloading", 74 * MB, 190 * MB),
            Part("c6b1d0e94f38", "Waiting"),
        )
        report.progress(Progress("pulling, 1 of 4 layers done", 162 * MB, 341 * MB, parts=parts))
        await asyncio.sleep(3600)
        return ""

    async def push(report: Report) -> str:
        raise ActionError("denied: requested access to the resource is denied (there is no login for quay.io)")

    async def good(report: Report) -> str:
        return "Downloaded newer image for redis:7.4-alpine"

    app.tasks.start("pull", "redis:7.4-alpine", "docker", good)
    app.tasks.start("push", "quay.io/shop/web:2.14.0", "docker", push)
    app.tasks.start("pull", "registry.demo:5000/shop/api:2.15.0-rc1", "docker", pull)


@pytest.mark.parametrize("size", [SIZE, SMALL], ids=["160x48", "80x24"])
def test_tasks_view(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        stand_still(app)
        await until(
            pilot, lambda: len(app.tasks.under_way) == 1 and app.tasks.under_way[0].at.parts, "all at their place"
        )
        app.clock.now += 83
        app.main._draw_status()  # its clock, too
        app.main.notices.dismiss("info")
        await pilot.press("8", "g")
        await until(pilot, lambda: app.main.views["tasks"].output.total_lines() > 6, "the layers")
        await until(pilot, lambda: any("1 task" in part.text for part in app.main.top._left), "the top line")

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SIZE, SMALL], ids=["160x48", "80x24"])
def test_layers_tab(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await at_image(pilot, "shop/api:2.14.0")
        await pilot.press("H")
        await until(pilot, lambda: len(app.main.details.query("#layers")) == 1, "the tab")
        table = app.main.details.query_one("#layers")
        await until(pilot, lambda: table.row_count, "the layers")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SIZE, SMALL], ids=["160x48", "80x24"])
def test_registry_list(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await at_image(pilot, "postgres:17")
        await pilot.press("m", *"browse", "enter")
        await titled(pilot, "Registry")
        await pilot.press("enter")
        await titled(pilot, "repositories")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)
