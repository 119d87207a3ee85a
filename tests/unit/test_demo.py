"""The simulated engines: believable, repeatable, and every action works on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from backends import actions
from backends.base import ActionError, EngineSettings
from backends.demo import catalog
from backends.demo.backend import DemoBackend
from backends.demo.host import demo_host
from backends.demo.options import parse_options
from backends.model import (
    Action,
    ActionOptions,
    Container,
    Health,
    Image,
    Item,
    Kind,
    Ref,
    State,
    image_users,
)
from backends.registry import DEMO_HOSTS, open_backend
from backends.watch import Connected, Watcher

PLAIN = ActionOptions()


def demo(part: str = "", *, pace: float = 0.0, clock: Callable[[], float] | None = None) -> DemoBackend:
    frozen = "" if clock else "time=1760000000&"
    return DemoBackend(part or "demo", f"demo://{part}?{frozen}pace={pace}", clock=clock)


async def items(backend: DemoBackend) -> dict[str, Item]:
    shot = await backend.list_all()
    found: dict[str, Item] = {}
    found |= {box.name: box for box in shot.containers}
    found |= {vm.name: vm for vm in shot.vms}
    return found | {image.tags[0] if image.tags else image.ref.id: image for image in shot.images}


async def named(backend: DemoBackend, name: str) -> Any:
    return (await items(backend))[name]


async def do(backend: DemoBackend, action: Action, name: str, **options: Any) -> Any:
    item = await named(backend, name)
    await backend.perform(action, item.ref, ActionOptions(**options))
    return (await items(backend)).get(name)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not await holds():
            await asyncio.sleep(0.005)


async def test_both_engines_show_every_state_worth_seeing() -> None:
    docker, virtualbox = (open_backend(url, EngineSettings()) for url in DEMO_HOSTS)
    assert (docker.engine, virtualbox.engine) == ("docker", "virtualbox")
    info = await docker.connect()
    assert info.product == "docker"
    assert "demo" in info.version
    assert (await virtualbox.connect()).kinds == (Kind.VM,)
    shot = await docker.list_all()
    assert len(shot.containers) == 14
    assert {box.state for box in shot.containers} >= {
        State.RUNNING, State.PAUSED, State.EXITED, State.CREATED, State.RESTARTING,
    }  # fmt: skip
    assert {box.health for box in shot.containers} == {None, Health.HEALTHY, Health.UNHEALTHY}
    assert len(shot.images) == 12
    assert 0 < sum(image.dangling for image in shot.images) < 12
    users = image_users(shot.containers)
    assert 0 < sum((image.ref.engine, image.ref.id) in users for image in shot.images) < 12
    assert not shot.vms
    vms = (await virtualbox.list_all()).vms
    assert len(vms) == 7
    assert {vm.state for vm in vms} == {State.RUNNING, State.PAUSED, State.SAVED, State.OFF, State.CRASHED}


async def test_a_frozen_clock_repeats_every_figure_and_another_seed_does_not() -> None:
    async def everything(url: str) -> Any:
        backend = DemoBackend("demo", url)
        shot = await backend.list_all()
        refs = [box.ref for box in shot.containers] + [vm.ref for vm in shot.vms]
        return shot, await backend.usage(refs), [await backend.inspect(ref) for ref in refs]

    first = await everything("demo://?time=1760000000")
    assert first == await everything("demo://?time=1760000000")
    assert first != await everything("demo://?time=1760000000&seed=2")
    assert await demo_host(lambda: 5.0).sample() == await demo_host(lambda: 5.0).sample()


async def test_usage_moves_smoothly_and_only_where_something_runs() -> None:
    now = 1_760_000_000.0
    backend = demo(clock=lambda: now)
    found = await items(backend)
    refs = [item.ref for item in found.values()]
    before = await backend.usage(refs)
    assert set(before) == {
        item.ref
        for item in found.values()
        if not isinstance(item, Image) and item.state in (State.RUNNING, State.PAUSED)
    }
    now += 1.0
    after = await backend.usage(refs)
    web, cache = found["shop-web"].ref, found["build-cache"].ref
    assert before[web].cpu != after[web].cpu
    assert after[cache].cpu == 0.0
    for ref, usage in after.items():
        was = before[ref]
        assert usage.cpu is not None and was.cpu is not None and usage.memory and was.memory
        assert abs(usage.cpu - was.cpu) < 0.8
        assert abs(usage.memory - was.memory) < 0.05 * was.memory
        assert usage.cpu_limit is None or usage.cpu <= usage.cpu_limit
        assert usage.memory_limit is None or usage.memory <= usage.memory_limit
        for rate in (usage.network_receive, usage.network_transmit, usage.disk_read, usage.disk_write):
            assert rate is not None and rate >= 0


async def test_a_container_goes_through_its_whole_life() -> None:
    backend = demo("docker", pace=0.1)
    assert (await do(backend, Action.STOP, "shop-web")).state is State.EXITED
    web = await named(backend, "shop-web")
    assert (web.exit_code, web.started, web.health) == (0, None, None)
    web = await do(backend, Action.START, "shop-web")
    assert (web.state, web.exit_code, web.started) == (State.RUNNING, None, 1760000000.0)
    assert (await do(backend, Action.PAUSE, "shop-web")).state is State.PAUSED
    assert (await do(backend, Action.RESUME, "shop-web")).state is State.RUNNING
    assert (await do(backend, Action.KILL, "shop-web")).exit_code == 137
    assert (await do(backend, Action.RESTART, "shop-web")).state is State.RUNNING
    assert (await do(backend, Action.KILL, "shop-web", signal="SIGHUP")).state is State.RUNNING
    assert (await do(backend, Action.KILL, "shop-web", signal="TERM")).exit_code == 143
    assert await do(backend, Action.DELETE, "shop-web") is None
    await backend.close()


async def test_a_restarted_container_becomes_healthy() -> None:
    backend = demo("docker")
    assert (await do(backend, Action.RESTART, "shop-api")).health in (Health.STARTING, Health.HEALTHY)

    async def healthy() -> bool:
        return (await named(backend, "shop-api")).health is Health.HEALTHY

    await until(healthy)


async def test_transitions_are_seen_and_told_while_an_action_runs() -> None:
    backend = demo("docker", pace=0.3)
    web = await named(backend, "shop-web")
    told: list[State] = []

    async def listen() -> None:
        async for refs in backend.events():
            change = await backend.list_some(refs)
            told.extend(item.state for item in change.updated if isinstance(item, Container))

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(backend.perform(Action.STOP, web.ref, PLAIN))
    await asyncio.sleep(0.05)
    with pytest.raises(ActionError, match="in progress"):
        await backend.perform(Action.START, web.ref, PLAIN)
    await stopping

    async def both() -> bool:
        return told == [State.STOPPING, State.EXITED]

    await until(both)
    await backend.close()
    async with asyncio.timeout(30):
        await listener


async def test_a_kill_cuts_a_stop_short() -> None:
    backend = demo("docker", pace=0.2)
    web = await named(backend, "shop-web")
    stopping = asyncio.create_task(backend.perform(Action.STOP, web.ref, PLAIN))
    await asyncio.sleep(0.05)
    await backend.perform(Action.KILL, web.ref, PLAIN)
    await stopping
    assert (await named(backend, "shop-web")).exit_code == 137
    await backend.perform(Action.START, web.ref, PLAIN)


async def test_a_deleted_object_is_told_as_removed() -> None:
    backend = demo("docker")
    migrate = await named(backend, "shop-migrate")
    stream = aiter(backend.events())
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await backend.perform(Action.DELETE, migrate.ref, PLAIN)
    assert migrate.ref in await waiting
    assert (await backend.list_some([migrate.ref])).removed == (migrate.ref,)
    with pytest.raises(ActionError, match="No such container"):
        await backend.inspect(migrate.ref)
    with pytest.raises(ActionError, match="No such container"):
        await backend.perform(Action.START, migrate.ref, PLAIN)


async def test_engines_refuse_as_real_ones_do() -> None:
    backend = demo()
    for action, name, words in (
        (Action.START, catalog.BLOCKED, "port is already allocated"),
        (Action.DELETE, "shop-web", "container is running"),
        (Action.PAUSE, "shop-migrate", "not running"),
        (Action.KILL, "shop-migrate", "not running"),
        (Action.DELETE, "postgres:17", "being used by running container"),
        (Action.DELETE, "build-win11", "locked"),
        (Action.START, "build-win11", "locked"),
        (Action.PAUSE, "lab-fedora", "Invalid machine state"),
    ):
        with pytest.raises(ActionError, match=words):
            await do(backend, action, name)
    assert (await named(backend, catalog.BLOCKED)).state is State.CREATED
    with pytest.raises(ActionError, match="Invalid signal"):
        await do(backend, Action.KILL, "shop-web", signal="NONSENSE")
    assert await do(backend, Action.DELETE, "shop-web", force=True) is None


async def test_an_image_in_use_by_a_stopped_container_or_with_two_tags_needs_force() -> None:
    backend = demo("docker")
    await do(backend, Action.DELETE, "shop-web", force=True)
    with pytest.raises(ActionError, match="multiple repositories"):
        await do(backend, Action.DELETE, "shop/web:2.14.0")
    assert await do(backend, Action.DELETE, "shop/web:2.14.0", force=True) is None
    await do(backend, Action.STOP, "grafana")
    with pytest.raises(ActionError, match="must be forced"):
        await do(backend, Action.DELETE, "grafana/grafana:11.5.2")
    assert await do(backend, Action.DELETE, "grafana/grafana:11.5.2", force=True) is None
    assert await do(backend, Action.DELETE, "node:22-bookworm") is None


async def test_a_vm_goes_through_its_whole_life() -> None:
    backend = demo("virtualbox")
    vm = await do(backend, Action.START, "lab-ubuntu")
    assert (vm.state, vm.started) == (State.RUNNING, 1760000000.0)
    assert (await do(backend, Action.PAUSE, "lab-ubuntu")).state is State.PAUSED
    assert (await do(backend, Action.START, "lab-ubuntu")).state is State.RUNNING
    assert (await do(backend, Action.SAVE, "lab-ubuntu")).state is State.SAVED
    await do(backend, Action.START, "lab-ubuntu")
    assert (await do(backend, Action.RESTART, "lab-ubuntu")).state is State.RUNNING
    assert (await do(backend, Action.RESET, "lab-ubuntu")).state is State.RUNNING
    await do(backend, Action.STOP, "lab-ubuntu")

    async def off() -> bool:
        state: State = (await named(backend, "lab-ubuntu")).state
        return state is State.OFF

    await until(off)
    assert (await do(backend, Action.KILL, "build-debian")).state is State.OFF
    assert (await named(backend, "build-debian")).started is None


async def test_a_guest_may_ignore_the_power_button() -> None:
    backend = demo("virtualbox")
    await do(backend, Action.STOP, catalog.DEAF)
    await asyncio.sleep(0.05)
    assert (await named(backend, catalog.DEAF)).state is State.RUNNING


async def test_disks_go_only_where_nobody_else_uses_them() -> None:
    backend = demo("virtualbox")
    win11 = await named(backend, "build-win11")
    lost = await backend.losses(Action.DELETE, win11.ref)
    own, shared = [loss for loss in lost if loss.id]
    assert own.size and not own.kept
    assert catalog.DEAF in shared.kept
    await do(backend, Action.KILL, "build-win11")
    with pytest.raises(ActionError, match="still attached"):
        await do(backend, Action.DELETE, "build-win11", disks=(shared.id,))
    assert await do(backend, Action.DELETE, "build-win11", disks=(own.id,)) is None
    xp = await named(backend, catalog.DEAF)
    assert not any(loss.kept for loss in await backend.losses(Action.DELETE, xp.ref))


async def test_losses_name_anonymous_volumes_tags_and_the_saved_state() -> None:
    backend = demo()
    prometheus = await named(backend, "prometheus")
    assert [loss.text.split()[0] for loss in await backend.losses(Action.DELETE, prometheus.ref)] == ["volume"]
    web = await named(backend, "shop/web:2.14.0")
    assert [loss.text for loss in await backend.losses(Action.DELETE, web.ref)] == [
        "tag shop/web:2.14.0",
        "tag shop/web:latest",
    ]
    ubuntu = await named(backend, "lab-ubuntu")
    assert any("saved state" in loss.text for loss in await backend.losses(Action.DELETE, ubuntu.ref))
    assert await backend.losses(Action.STOP, prometheus.ref) == ()


async def test_every_offered_action_works_on_every_object_or_says_why_not() -> None:
    """What the table of actions allows, the simulated engine does; it never falls over."""
    for action in Action:
        backend = demo()
        for item in (await items(backend)).values():
            if actions.refusal(action, item) is not None:
                continue
            try:
                await backend.perform(action, item.ref, PLAIN)
            except ActionError as error:
                assert str(error).isprintable()
                assert action in (Action.DELETE, Action.START, Action.RESTART), (action, item)
        await backend.close()


async def test_it_lives_by_itself_and_the_same_way_each_time() -> None:
    async def watch() -> list[tuple[float, str, State, Health | None]]:
        now = 1_760_000_000.0
        backend = demo("docker", clock=lambda: now)
        seen = []
        for second in range(0, 200, 2):
            now = 1_760_000_000.0 + second
            for item in (await items(backend)).values():
                if isinstance(item, Container) and item.name in (catalog.RESTARTING, catalog.WAVERING):
                    seen.append((now, item.name, item.state, item.health))
        return seen

    seen = await watch()
    assert seen == await watch()
    assert {state for _, name, state, _ in seen if name == catalog.RESTARTING} == {State.RESTARTING, State.RUNNING}
    assert {health for _, name, _, health in seen if name == catalog.WAVERING} == {Health.HEALTHY, Health.UNHEALTHY}


async def test_what_an_operator_stopped_stays_stopped() -> None:
    now = 1_760_000_000.0
    backend = demo("docker", clock=lambda: now)
    await do(backend, Action.STOP, catalog.RESTARTING)
    await do(backend, Action.STOP, catalog.WAVERING)
    for _ in range(60):
        now += 3.0
        found = await items(backend)
        for name in (catalog.RESTARTING, catalog.WAVERING):
            item = found[name]
            assert isinstance(item, Container) and item.state is State.EXITED and item.health is None


async def test_a_load_of_ten_thousand_is_listed_watched_and_measured() -> None:
    now = 1_760_000_000.0
    backend = DemoBackend("docker", "demo://docker?containers=10000", clock=lambda: now)
    shot = await backend.list_all()
    assert len(shot.containers) == len({box.ref for box in shot.containers}) == 10_000
    assert len({box.name for box in shot.containers}) == 10_000
    assert len(await backend.usage([box.ref for box in shot.containers])) > 7000
    now += 5
    again = await backend.list_all()
    changed = [new for old, new in zip(shot.containers, again.containers, strict=True) if old is not new]
    assert len(changed) == 5
    assert len((await DemoBackend("vms", "demo://virtualbox?vms=300").list_all()).vms) == 300


async def test_the_watcher_follows_it() -> None:
    backend = demo("docker")
    got: list[Any] = []
    task = asyncio.create_task(Watcher(backend, got.append, listing_period=60.0).run())

    async def listed() -> bool:
        return len(got) >= 3

    await until(listed)  # the second listing stands behind the event stream
    assert isinstance(got[0], Connected)
    web = await named(backend, "shop-web")
    await backend.perform(Action.PAUSE, web.ref, PLAIN)

    async def told() -> bool:
        return any(
            item.ref == web.ref and item.state is State.PAUSED
            for update in got
            for item in getattr(update, "updated", ())
        )

    await until(told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await backend.close()


async def test_closing_ends_an_action_under_way() -> None:
    backend = demo("docker", pace=60.0)
    web = await named(backend, "shop-web")
    stopping = asyncio.create_task(backend.perform(Action.STOP, web.ref, PLAIN))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await backend.close()
    with pytest.raises(ActionError, match="closed"):
        await stopping


async def test_inspect_speaks_the_engines_language() -> None:
    backend = demo()
    web = await backend.inspect((await named(backend, "shop-web")).ref)
    assert web["Name"] == "/shop-web"
    assert web["State"]["Status"] == "running"
    assert any(entry.startswith("SESSION_SECRET=") for entry in web["Config"]["Env"])
    image = await backend.inspect((await named(backend, "postgres:17")).ref)
    assert image["RepoTags"] == ["postgres:17"]
    vm = await backend.inspect((await named(backend, "build-debian")).ref)
    assert vm["state"] == "Running"
    assert len(vm["medium_attachments"]) == 2


async def test_objects_of_other_engines_are_unknown_not_fatal() -> None:
    backend = demo()
    stranger = Ref("elsewhere", Kind.VM, "x")
    assert await backend.usage([stranger]) == {}
    assert await backend.losses(Action.DELETE, stranger) == ()
    assert (await backend.list_some([stranger])).removed == (stranger,)


async def test_the_simulated_host_is_whole() -> None:
    host = await demo_host(lambda: 1_760_000_000.0).sample()
    assert host.name == "demo"
    assert host.cpu == pytest.approx(sum(host.cores) / len(host.cores), abs=1e-3)
    assert all(0 <= core <= 1 for core in host.cores)
    assert 0 < host.memory_used < host.memory_total
    assert host.file_systems and host.temperatures and host.load


@pytest.mark.parametrize(
    "url",
    [
        "demo://elsewhere",
        "demo://docker?containers=many",
        "demo://docker?containers=-1",
        "demo://docker?containers=999999999",
        "demo://docker?colour=red",
        "demo://docker?time=nan",
        "demo://docker?pace=inf",
        "demo://docker/path",
    ],
)
def test_bad_addresses_are_told_in_one_line(url: str) -> None:
    with pytest.raises(ValueError, match="demo") as caught:
        parse_options(url)
    assert str(caught.value).isprintable()
