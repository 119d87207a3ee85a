"""Running, recreating and changing containers from the screen, on the simulated engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model import Container, Kind, State
from backends.runs.line import line_of
from backends.runs.spec import RunSpec
from tests.ui.boxtop import TestApp, listed, select, until
from tui.options import HostOption
from tui.run_form import fields_of, read, values_of
from tui.tasks import TaskState
from widgets.confirm import Confirm
from widgets.form import Form, Tool
from widgets.picker import Picker

SIZE = (160, 48)
SPEC = RunSpec(
    image="shop/web:2.14.0",
    name="shop-web-2",
    command=("npm", "run", "start", "--", "--color=never"),
    ports=("127.0.0.1:8081:3000", "9464:9464"),
    environment=("NODE_ENV=production", "API_URL=http://shop-api:8000"),
    volumes=("shop_uploads:/srv/uploads", "/etc/shop:/etc/shop:ro"),
    network="shop_default",
    restart="unless-stopped",
    cpus=1.5,
    memory=512 << 20,
    labels=("team=shop",),
    more=("--cap-drop=ALL",),
)


class FormApp(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def on_mount(self) -> None:
        async def paste(_: object) -> None:
            return None

        def wrong(values: object) -> dict[str, str]:
            return {**read(values)[1], "ports": "shop-web has port 8081/tcp of the host"}

        self.push_screen(
            Form(
                "Run a container on docker",
                fields_of(SPEC),
                submit="Run",
                check=wrong,
                preview=lambda values: line_of(read(values)[0]),
                suggest={"image": ["x"], "network": ["x"], "volumes": ["x"]},
                tools=[Tool("paste", "Paste a line", paste)],
            )
        )


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
def test_the_run_form(size, snap_compare, monkeypatch):
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)

    async def before(pilot: Pilot[object]) -> None:
        await pilot.pause()

    assert snap_compare(FormApp(), terminal_size=size, run_before=before)


def test_what_the_form_holds_is_read_as_the_same() -> None:
    assert read(values_of(SPEC)) == (SPEC, {})
    for bad, field in (
        ({"image": ""}, "image"),
        ({"name": "a b"}, "name"),
        ({"command": "sh -c 'x"}, "command"),
        ({"ports": ("x",)}, "ports"),
        ({"environment": ("A=1", "A=2")}, "environment"),
        ({"volumes": ("/a:/x", "/b:/x")}, "volumes"),
        ({"cpus": "many"}, "cpus"),
        ({"memory": "1m"}, "memory"),
        ({"workdir": "srv"}, "workdir"),
        ({"more": ("--frobnicate",)}, "more"),
        ({"remove": True}, "remove"),
        ({"network": "host"}, "ports"),
    ):
        assert set(read({**values_of(SPEC), **bad})[1]) == {field}, bad


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", hosts=(HostOption("demo://docker?pace=0.05"),))


async def opened(pilot: Pilot[object], app: TestApp, kind: type) -> None:
    await until(pilot, lambda: isinstance(app.screen, kind) and app.screen.is_mounted, f"a {kind.__name__}")
    await pilot.pause()


async def closed(pilot: Pilot[object], app: TestApp) -> None:
    await until(pilot, lambda: app.screen is app.main, "the list again")


async def fill(app: TestApp, **values: object) -> None:
    assert isinstance(app.screen, Form)
    app.screen.set_values(values)  # type: ignore[arg-type]


async def finished(pilot: Pilot[object], app: TestApp) -> str:
    """The result of the newest task, once it has one."""
    await until(pilot, lambda: app.tasks.all and not app.tasks.all[-1].open, "the task's end")
    return app.tasks.all[-1].result


def boxes(app: TestApp) -> dict[str, Container]:
    return {item.name: item for item in app.store.of_kind(Kind.CONTAINER) if isinstance(item, Container)}


async def test_a_line_is_pasted_checked_and_run(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("+")
        await opened(pilot, app, Form)
        form = app.screen
        await pilot.press("shift+tab", "shift+tab", "shift+tab", "enter")
        await until(pilot, lambda: app.screen is not form, "the form to paste in")
        await pilot.pause()
        await fill(app, line=("docker run -d --name shop-db -p 8099:6379 \\", "-e A=1 redis:7.4-alpine --save ''"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is form, "the run form again")
        await until(pilot, lambda: form.values["image"] == "redis:7.4-alpine", "the line read")
        assert form.values["command"] == "--save ''"
        assert form.values["ports"] == ("8099:6379",)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "called shop-db already" in text_of(app), "the name's refusal")
        await fill(app, name="shop-kv")
        await pilot.press("ctrl+s")
        await closed(pilot, app)
        assert await finished(pilot, app) == "shop-kv runs"
        await until(pilot, lambda: "shop-kv" in boxes(app), "the container in the list")
        made = boxes(app)["shop-kv"]
        assert made.state is State.RUNNING
        assert made.ports[0].host_port == 8099


def text_of(app: App[object]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_an_image_that_is_not_here_is_pulled_when_agreed(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("+")
        await opened(pilot, app, Form)
        await fill(app, image="caddy:2.9", name="edge", start=False)
        await pilot.press("ctrl+s")
        await opened(pilot, app, Confirm)
        await pilot.press("enter")
        await closed(pilot, app)
        assert not app.tasks.all
        await pilot.press("+")
        await opened(pilot, app, Form)
        await fill(app, image="caddy:2.9", name="edge", start=False)
        await pilot.press("ctrl+s")
        await opened(pilot, app, Confirm)
        await pilot.press("right", "enter")
        assert await finished(pilot, app) == "edge is created"
        await until(pilot, lambda: "edge" in boxes(app), "the container in the list")
        assert boxes(app)["edge"].state is State.CREATED


async def test_plus_on_an_image_runs_that_image(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("3")
        image = next(item for item in app.store.of_kind(Kind.IMAGE) if "postgres:17" in item.tags)
        assert app.main.active.table.select(image.ref)
        await pilot.pause()
        await pilot.press("+")
        await opened(pilot, app, Form)
        assert app.screen.values["image"] == "postgres:17"
        await pilot.press("escape")


async def test_recreation_keeps_the_old_one_on_demand_and_puts_it_back(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        old = await select(pilot, "shop-cache")
        await pilot.press("y")
        await opened(pilot, app, Form)
        assert app.screen.values["image"] == "redis:7.4-alpine"
        await fill(app, keep=True, memory="512m")
        await pilot.pause()
        assert "changes: memory" in text_of(app)
        await pilot.press("ctrl+s")
        await opened(pilot, app, Confirm)
        assert "shop-cache.boxtop-old" in text_of(app)
        await pilot.press("right", "enter")
        assert "the old one is shop-cache.boxtop-old" in await finished(pilot, app)
        await until(pilot, lambda: "shop-cache.boxtop-old" in boxes(app), "the old one aside")
        assert boxes(app)["shop-cache"].ref != old
        assert boxes(app)["shop-cache.boxtop-old"].ref == old
        await select(pilot, "shop-cache.boxtop-old")
        await pilot.press("m")
        await opened(pilot, app, Picker)
        await pilot.press(*"put back", "enter")
        await opened(pilot, app, Confirm)
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(app.tasks.all) == 2, "the second task")
        assert "old container again" in await finished(pilot, app)
        await until(pilot, lambda: "shop-cache.boxtop-old" not in boxes(app), "the old name gone")
        assert boxes(app)["shop-cache"].ref == old
        assert boxes(app)["shop-cache"].state is State.RUNNING


async def test_a_recreation_that_fails_says_so_and_the_old_one_is_there(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        old = await select(pilot, "shop-mailer")
        await pilot.press("y")
        await opened(pilot, app, Form)
        await fill(app, always=True)
        await pilot.press("ctrl+s")
        await opened(pilot, app, Confirm)
        await pilot.press("right", "enter")
        assert "the old shop-mailer runs again" in await finished(pilot, app)
        assert app.tasks.all[-1].state is TaskState.FAILED
        await until(pilot, lambda: boxes(app)["shop-mailer"].ref == old, "the old one")


async def test_several_are_recreated_as_they_are(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        refs = {}
        for name in ("grafana", "prometheus"):
            refs[name] = await select(pilot, name)
            await pilot.press("space")
        await pilot.press("y")
        await opened(pilot, app, Form)
        await fill(app, always=True)
        await pilot.press("ctrl+s")
        await opened(pilot, app, Confirm)
        assert all(name in text_of(app) for name in refs)
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(app.tasks.all) == 2 and not app.tasks.under_way, "both made anew")
        await until(pilot, lambda: all(boxes(app)[name].ref != ref for name, ref in refs.items()), "both in the list")


async def test_rename_commit_and_limits(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "grafana")
        await pilot.press("M")
        await opened(pilot, app, Form)
        await fill(app, name="prometheus")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "called prometheus already" in text_of(app)
        await fill(app, name="charts")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "charts" in boxes(app), "the new name")
        await closed(pilot, app)
        await select(pilot, "charts")
        await pilot.press("u")
        await opened(pilot, app, Form)
        assert "nothing changes" in text_of(app)
        await fill(app, cpus="0.5", memory="1g")
        await pilot.pause()
        assert "docker update --cpus 0.5 --memory 1g --memory-swap 2g charts" in text_of(app)
        await pilot.press("ctrl+s")
        await closed(pilot, app)
        await until(pilot, lambda: "has its new limits" in text_of(app), "the result")
        await pilot.press("W")
        await opened(pilot, app, Form)
        await fill(app, repository="team/charts", tag="2")
        await pilot.press("ctrl+s")
        await closed(pilot, app)
        assert "is team/charts:2" in await finished(pilot, app)
        await until(pilot, lambda: any("team/charts:2" in item.tags for item in app.store.of_kind(Kind.IMAGE)), "image")


async def test_hard_signals_are_asked_about_and_a_stop_takes_as_long_as_it_is_given(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "grafana")
        await pilot.press("!")
        await opened(pilot, app, Picker)
        await pilot.press(*"SIGHUP", "enter")
        await until(pilot, lambda: "SIGHUP was sent to grafana" in text_of(app), "the signal")
        assert boxes(app)["grafana"].state is State.RUNNING
        await pilot.press("!")
        await opened(pilot, app, Picker)
        await pilot.press(*"SIGKILL", "enter")
        await opened(pilot, app, Confirm)
        await pilot.press("enter")
        await closed(pilot, app)
        assert boxes(app)["grafana"].state is State.RUNNING
        await pilot.press("!")
        await opened(pilot, app, Picker)
        await pilot.press(*"SIGKILL", "enter")
        await opened(pilot, app, Confirm)
        await pilot.press("right", "enter")
        await until(pilot, lambda: boxes(app)["grafana"].state is State.EXITED, "its end")
        await select(pilot, "prometheus")
        await pilot.press("m")
        await opened(pilot, app, Picker)
        await pilot.press(*"timeout", "enter")
        await opened(pilot, app, Form)
        await fill(app, seconds="2")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: boxes(app)["prometheus"].state is State.EXITED, "the stop")


async def test_read_only_offers_none_of_it(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=(HostOption("demo://docker?pace=0.05", read_only=True),))
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "grafana")
        for key in "+yuMW!":
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is app.main, key


async def test_of_marked_rows_those_on_a_read_only_engine_or_at_rest_are_left_out(tmp_path):
    hosts = (
        HostOption("demo://docker?pace=0.05", "mine"),
        HostOption("demo://docker?pace=0.05&seed=7", "theirs", read_only=True),
    )
    app = TestApp(tmp_path / "journal.jsonl", hosts=hosts)
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        found = [item for item in app.store.of_kind(Kind.CONTAINER) if isinstance(item, Container)]
        running = {
            engine: next(item for item in found if item.ref.engine == engine and item.state is State.RUNNING)
            for engine in ("mine", "theirs")
        }
        rest = next(item for item in found if item.ref.engine == "mine" and item.state is State.EXITED)
        app.main.active.set_marks({running["mine"].ref, running["theirs"].ref, rest.ref})
        await pilot.press("!")
        await opened(pilot, app, Picker)
        assert "left out" in app.main.notices.entries[-1][1]
        await pilot.press(*"SIGKILL", "enter")
        await opened(pilot, app, Confirm)
        assert f"Send SIGKILL to {running['mine'].name}?" in text_of(app)
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.store.get(running["mine"].ref).state is State.EXITED, "its end")
        await pilot.pause(0.2)
        assert app.store.get(running["theirs"].ref).state is State.RUNNING


async def test_quitting_while_one_is_made_anew_says_what_may_be_left(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        app.tasks.start("recreate", "grafana", "docker", lambda _: asyncio.sleep(60, ""), asked=True)
        await pilot.press("q")
        await opened(pilot, app, Confirm)
        assert "grafana may be left stopped, as grafana.boxtop-old" in text_of(app)
        await pilot.press("right", "enter")
    assert app.return_code == 0
