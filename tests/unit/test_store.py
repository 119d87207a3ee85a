from __future__ import annotations

from backends.model import Action, Change, Kind, Snapshot, State, Usage
from backends.watch import Connected, Lost
from tests.unit.objects import NOW, container, image, info, vm
from tui.store import Delta, Failure, Store


def store_with(*containers, images=()) -> tuple[Store, list[Delta]]:
    store, heard = Store(), []
    store.add_engine("docker", "docker://", (Kind.CONTAINER, Kind.IMAGE), read_only=False)
    store.apply(Connected(info()))
    store.apply(Snapshot("docker", NOW, containers=tuple(containers), images=tuple(images)))
    store.listen(heard.append)
    return store, heard


def test_an_unchanged_listing_redraws_nothing():
    web = container()
    store, heard = store_with(web)
    store.apply(Snapshot("docker", NOW + 10, containers=(container(),)))
    assert heard == [Delta()]


def test_a_listing_names_just_what_came_went_and_changed():
    stays, goes = container("stays"), container("goes")
    store, heard = store_with(stays, goes)
    stopped, comes = container("stays", State.EXITED), container("comes")
    store.apply(Snapshot("docker", NOW, containers=(stopped, comes)))
    assert heard[-1].refs == {stays.ref, goes.ref, comes.ref}
    assert heard[-1].kinds == {Kind.CONTAINER}
    assert store.get(stays.ref) == stopped
    assert store.get(goes.ref) is None


def test_a_listing_of_one_engine_leaves_anothers_objects():
    store, _ = store_with(container())
    store.add_engine("virtualbox", "virtualbox://", (Kind.VM,), read_only=False)
    store.apply(Connected(info("virtualbox", Kind.VM)))
    store.apply(Snapshot("virtualbox", NOW, vms=(vm(),)))
    assert len(list(store.of_kind(Kind.CONTAINER))) == 1
    assert len(list(store.of_kind(Kind.VM))) == 1


def test_a_lost_engine_keeps_its_rows_without_live_figures_and_comes_back():
    web = container()
    store, _ = store_with(web)
    store.apply_usage({web.ref: Usage(NOW, cpu=0.5)})
    store.apply(Lost("docker", "docker://", "connection refused", "start it", False, NOW, NOW + 2))
    assert store.get(web.ref) == web
    assert not store.reachable(web.ref)
    assert web.ref not in store.usage
    store.apply(Connected(info()))
    assert store.reachable(web.ref)


def test_a_stopped_container_shows_no_stale_figures():
    web = container()
    store, _ = store_with(web)
    store.apply_usage({web.ref: Usage(NOW, cpu=0.5)})
    store.apply(Change("docker", NOW, updated=(container(state=State.EXITED),)))
    assert web.ref not in store.usage


def test_figures_of_unknown_objects_are_dropped():
    store, heard = store_with()
    store.apply_usage({container().ref: Usage(NOW, cpu=0.5)})
    assert heard == []
    assert store.usage == {}


def test_an_action_shows_its_transition_until_it_ends_and_its_failure_until_dismissed():
    web = container()
    store, _ = store_with(web)
    store.set_pending(web.ref, Action.STOP)
    assert store.shown_state(web) is State.STOPPING
    store.clear_pending(web.ref, Failure(web.ref, "web", Action.STOP, "no such process"))
    assert store.shown_state(web) is State.RUNNING
    assert store.failures[web.ref].reason == "no such process"
    store.dismiss_failure(web.ref)
    assert not store.failures


def test_users_of_an_image_follow_its_containers():
    web, picture = container(), image()
    store, heard = store_with(web, images=(picture,))
    assert store.users_of(picture) == ("web",)
    store.apply(Change("docker", NOW, removed=(web.ref,)))
    assert store.users_of(picture) == ()
    assert picture.ref in heard[-1].refs


def test_history_of_a_removed_object_is_let_go():
    web = container()
    store, _ = store_with(web)
    store.apply_usage({web.ref: Usage(NOW, cpu=0.5)})
    store.apply(Change("docker", NOW, removed=(web.ref,)))
    assert web.ref not in store.histories
