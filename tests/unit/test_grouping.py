"""Groups: where objects belong, how groups are ordered and folded, what their headers sum up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from backends.model import VM, Action, Container, Health, HostUsage, Item, Snapshot, State, Usage
from backends.watch import Connected
from tests.unit.objects import NOW, container, info, vm
from tui.grouped import Grouped
from tui.grouping import Group, Places, around, group_path, grouped, in_order, lines
from tui.rows import containers as container_list
from tui.rows import vms as vm_list
from tui.rows.fields import Look
from tui.rows.groups import header_row
from tui.rows.marks import UNICODE
from tui.selection import name_of, ranked
from tui.store import Failure, Store
from widgets.glyphs import BRAILLE


def member(name: str, project: str, service: str = "", **changes: Any) -> Container:
    labels = [("com.docker.compose.project", project)]
    if service:
        labels.append(("com.docker.compose.service", service))
    return container(name, labels=tuple(labels), **changes)


def arranged(items: Sequence[Item], *, folded: Sequence[str] = (), **order: Any) -> list[str]:
    """The lines as text: headers in brackets, two blanks for each group around."""
    by_name = ranked(items, name_of, descending=bool(order.get("descending")))
    groups = grouped(by_name, Places(), **{"weighed": False, "descending": False, **order})
    keys = {key for key in _keys(groups) if key.path and key.path[-1] in folded}
    found = lines(groups, keys)
    return [
        "  " * depth + (f"[{line.label}]" if isinstance(line, Group) else name_of(line))
        for line, depth in zip(found.shown, found.depths, strict=True)
    ]


def _keys(groups: Sequence[Group]) -> list[Any]:
    return [key for group in groups for key in (group.key, *_keys(group.groups))]


def test_containers_come_under_their_project_and_the_others_last():
    items = [container("alone"), member("b", "shop", "web"), member("a", "shop", "db"), member("c", "blog", "web")]
    assert arranged(items) == ["[blog]", "  c", "[shop]", "  a", "  b", "[no project]", "  alone"]


def test_a_service_has_a_header_once_it_has_several_containers():
    items = [member("w1", "shop", "worker"), member("w2", "shop", "worker"), member("db", "shop", "db")]
    assert arranged(items) == ["[shop]", "  [worker]", "    w1", "    w2", "  db"]
    assert arranged(items, folded=["worker"]) == ["[shop]", "  [worker]", "  db"]
    assert arranged(items, folded=["shop"]) == ["[shop]"]


def test_podman_compose_and_swarm_name_projects_too():
    podman = container("p", labels=(("io.podman.compose.project", "pod"), ("com.docker.compose.service", "api")))
    swarm = container(
        "s", labels=(("com.docker.stack.namespace", "live"), ("com.docker.swarm.service.name", "live_web"))
    )
    assert group_path(podman) == ("pod", "api")
    assert group_path(swarm) == ("live", "web")
    assert group_path(container("n", labels=(("com.docker.compose.project", ""),))) == ()


def test_vms_come_under_the_path_of_their_group():
    items = [vm("a", groups=("/lab/net",)), vm("b", groups=("/lab",)), vm("c", groups=("/",)), vm("d")]
    assert arranged(items) == ["[lab]", "  [net]", "    a", "  b", "[no group]", "  c", "  d"]


def test_one_name_on_two_engines_is_two_groups():
    items = [member("a", "shop", engine="docker"), member("b", "shop", engine="podman")]
    assert arranged(items) == ["[shop]", "  a", "[shop]", "  b"]


def test_groups_are_ordered_by_name_either_way():
    items = [member("x", "alpha"), member("y", "Beta"), member("z", "gamma")]
    assert arranged(items)[::2] == ["[alpha]", "[Beta]", "[gamma]"]
    assert arranged(items, descending=True, by_name=True)[::2] == ["[gamma]", "[Beta]", "[alpha]"]


def test_groups_are_ordered_by_the_sum_of_a_figure():
    loads = {"a": 0.6, "b": 0.1, "c": 0.4, "d": 0.5, "e": None}
    items = [
        member("a", "one"),
        member("b", "one"),
        member("c", "two"),
        member("d", "two"),
        member("e", "three"),
        container("x"),
    ]
    by_load = ranked(items, lambda item: loads.get(item.name), descending=True)  # type: ignore[union-attr]
    groups = grouped(by_load, Places(), weighed=True, descending=True)
    assert [group.label for group in groups] == ["two", "one", "three", "no project"]
    assert [name_of(item) for item in groups[0].items] == ["d", "c"]
    lowest = grouped(list(reversed(by_load)), Places(), weighed=True, descending=False)
    assert [group.label for group in lowest] == ["one", "two", "three", "no project"]


def test_services_are_ordered_by_their_sums_within_the_project():
    items = [member(f"{name}{number}", "shop", name) for name in ("api", "web") for number in (1, 2)]
    loads = {"api1": 0.1, "api2": 0.1, "web1": 0.2, "web2": 0.3}
    by_load = ranked(items, lambda item: loads[name_of(item)], descending=True)
    (shop,) = grouped(by_load, Places(), weighed=True, descending=True)
    assert [group.label for group in shop.groups] == ["web", "api"]


def test_an_object_finds_the_innermost_header_around_it():
    items = [member("w1", "shop", "worker"), member("w2", "shop", "worker"), member("db", "shop", "db")]
    by_name = ranked(items, name_of, descending=False)
    found = lines(grouped(by_name, Places(), weighed=False, descending=False), ())
    assert [key.path for item in items if (key := around(item, found.groups))] == [
        ("shop", "worker"),
        ("shop", "worker"),
        ("shop",),
    ]
    assert around(container("other"), found.groups) is None


def test_a_changed_object_is_looked_at_anew():
    places = Places()
    before = member("a", "shop")
    assert places.of([(None, before)])[0][1].path == ("shop",)
    assert places.of([(None, member("a", "blog"))])[0][1].path == ("blog",)


def test_folds_stay_while_a_group_is_away_and_are_open_while_filtering():
    groups = Grouped(on=True)
    items = ranked([member("a", "shop"), container("x")], name_of, descending=False)
    rest = ranked([container("x")], name_of, descending=False)
    groups.arrange(items, "name", descending=False)
    (key,) = [key for key in groups.shown if key.path == ("shop",)]
    assert groups.set_folded(key, True)
    groups.arrange(rest, "name", descending=False)
    assert not groups.shown
    order, found, other = groups.arrange(items, "name", descending=False)
    assert other
    assert len(order) == 2
    assert [line.label if isinstance(line, Group) else name_of(line) for line in found.shown] == [
        "shop",
        "no project",
        "x",
    ]
    groups.sift("a")
    assert key not in groups.folded
    groups.set_folded(key, True)
    assert key in groups.folded
    groups.sift("")
    assert key in groups.folded


def test_fold_all_turns_to_unfold_all():
    groups = Grouped(on=True)
    items = ranked([member("a", "shop"), member("b", "blog")], name_of, descending=False)
    groups.arrange(items, "name", descending=False)
    assert groups.fold_all()
    assert len(groups.arrange(items, "name", descending=False)[1].shown) == 2
    assert not groups.fold_all()
    assert len(groups.arrange(items, "name", descending=False)[1].shown) == 4


def filled(items: Sequence[Item], usage: dict[str, Usage] | None = None, samples: int = 1) -> Look:
    store = Store()
    for engine in {item.ref.engine for item in items}:
        of_engine = [item for item in items if item.ref.engine == engine]
        store.add_engine(engine, f"{engine}://", (), read_only=False)
        store.apply(Connected(info(engine)))
        boxes = tuple(item for item in of_engine if isinstance(item, Container))
        store.apply(
            Snapshot(engine, NOW, containers=boxes, vms=tuple(item for item in of_engine if isinstance(item, VM)))
        )
    store.host = HostUsage(NOW, "host", 0.0, 0.1, (0.1,) * 4, 1, 8 << 30, 0, 0)
    for _ in range(samples):
        store.apply_usage({item.ref: (usage or {})[name_of(item)] for item in items if name_of(item) in (usage or {})})
    return Look(store, NOW, UNICODE, BRAILLE)


def cells(items: Sequence[Item], look: Look, fields: Any = container_list.FIELDS) -> dict[str, str]:
    (group,) = grouped(ranked(items, name_of, descending=False), Places(), weighed=False, descending=False)
    row = header_row(group, fields, look, folded=False)
    return {
        field.column.id: "".join(text for text, _ in cell.runs) for field, cell in zip(fields, row.cells, strict=True)
    }


def test_a_header_sums_up_its_members():
    items = [
        member("a", "shop", health=Health.HEALTHY),
        member("b", "shop", health=Health.UNHEALTHY),
        member("c", "shop", state=State.EXITED, exit_code=0),
    ]
    load = Usage(
        NOW, cpu=0.5, cpu_limit=2.0, memory=100 << 20, memory_limit=1 << 30, network_receive=1000.0, disk_write=4096.0
    )
    found = cells(items, filled(items, {"a": load, "b": load}, samples=3))
    assert found["name"] == "▾ shop 3"
    assert found["state"] == "2/3 up, 1 bad"
    assert found["health"] == "1 bad"
    assert found["cpu"] == "100%"
    assert found["memory"] == "200M"
    assert found["memory_share"] == "10%"
    assert found["receive"] == "2.0K"
    assert found["write"] == "8.0K"
    assert found["image"] == "nginx:1.27"
    assert found["cpu_history"].strip()


def test_a_header_tells_what_is_under_way_and_what_failed():
    items = [member("a", "shop"), member("b", "shop")]
    look = filled(items)
    assert cells(items, look)["state"] == "2/2 up"
    look.store.set_pending(items[0].ref, Action.STOP)
    assert cells(items, look)["state"] == "2/2 stopping"
    look.store.clear_pending(items[0].ref, Failure(items[0].ref, "a", Action.STOP, "no"))
    assert cells(items, look)["state"] == "2/2 up, 1 bad"


def test_a_vm_groups_header():
    items = [vm("a", groups=("/lab",)), vm("b", groups=("/lab",), state=State.OFF, snapshots=2)]
    found = cells(items, filled(items), vm_list.FIELDS)
    assert (found["name"], found["state"], found["cpus"], found["size"]) == ("▾ lab 2", "1/2 up", "4", "4.0G")
    assert found["snapshots"] == "2"
    assert found["os_type"] == "Debian (64-bit)"


def test_ten_thousand_objects_are_grouped_in_a_few_milliseconds():
    items = [member(f"c{number:05}", f"p{number // 12}", f"s{number % 12}") for number in range(10_000)]
    by_name = ranked(items, name_of, descending=False)
    places = Places()
    places.of(by_name)
    took = []
    for _ in range(5):
        began = time.process_time()
        groups = grouped(by_name, places, weighed=False, descending=False)
        found = lines(groups, ())
        order = in_order(groups)
        took.append(time.process_time() - began)
    assert len(order) == 10_000
    assert len(found.shown) == 10_000 + len(groups)
    # some 5 ms here; the bound leaves room for a machine busy with other things
    assert min(took) < 0.03
