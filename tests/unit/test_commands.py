from __future__ import annotations

import inspect
from dataclasses import replace

from backends.abilities.media import Medium
from backends.model import Action, Kind, State
from tests.unit.objects import container, image, vm
from tui.commands import BY_ID, COMMANDS, Here, Rights, label_for, offered, resolve, unavailable
from tui.handlers import area_class
from tui.keymap import Keymap


def test_ids_and_keys_are_each_given_once():
    ids = [command.id for command in COMMANDS]
    assert len(ids) == len(set(ids))
    owners: dict[tuple[str, str], str] = {}
    for command in COMMANDS:
        for key in command.keys:
            for place in command.places:
                assert owners.setdefault((key, place), command.id) == command.id, (key, place)


def test_every_command_does_something():
    for command in COMMANDS:
        if command.action is None:
            method = getattr(area_class(command.area), command.id.partition(".")[2], None)
            assert inspect.isfunction(method), command.id


def test_every_action_of_an_engine_has_a_command():
    assert {command.action for command in COMMANDS if command.action} == set(Action) - {Action.RESUME}


def test_no_destructive_control_key_beside_its_safe_letter():
    destructive = {Action.DELETE, Action.KILL, Action.RESET}
    for command in COMMANDS:
        if command.action in destructive:
            assert not any(key.startswith("ctrl+") for key in command.keys)


def test_the_pause_key_resumes_what_is_paused():
    pause = BY_ID["item.pause"]
    paused = container(state=State.PAUSED)
    assert resolve(pause, [paused]) is Action.RESUME
    assert label_for(pause, [paused]) == "resume"
    assert resolve(pause, [container()]) is Action.PAUSE


def test_killing_a_vm_is_called_what_it_is():
    assert label_for(BY_ID["item.kill"], [vm()]) == "power off"
    assert label_for(BY_ID["item.kill"], [container()]) == "kill"


def test_an_action_is_refused_with_the_reason_of_the_first_when_it_applies_to_none():
    start = BY_ID["item.start"]
    assert unavailable(start, [container()], Rights()) == "web is running already"
    assert unavailable(start, [container(), container("db", State.EXITED)], Rights()) is None
    assert unavailable(BY_ID["item.save"], [container()], Rights()) == "a container's memory cannot be saved"
    assert unavailable(start, [image()], Rights()) == "images do not run"


def test_read_only_takes_every_action_away():
    for command in COMMANDS:
        if command.action:
            for item in (container(), vm(), image()):
                reason = unavailable(command, [item], Rights(dict.fromkeys(("docker", "virtualbox"), "read-only")))
                assert reason, (command.id, item)
    hints = Keymap({}).hints([container()], Rights({"docker": "docker is read-only"}), ["docker"])
    assert not [hint for hint in hints if BY_ID[hint.id].action]


def test_the_footer_tells_what_applies_now():
    hints = {hint.id: hint for hint in Keymap({}).hints([container(state=State.EXITED)], Rights(), [])}
    assert hints["item.start"].enabled
    assert not hints["item.stop"].enabled
    assert hints["item.stop"].reason == "web is exited"
    assert "item.save" not in hints  # VMs only
    assert "item.start" not in {hint.id for hint in Keymap({}).hints([image()], Rights(), [])}


def test_a_users_key_replaces_the_declared_one_and_is_taken_from_another():
    keymap = Keymap({"item.start": ("t",), "app.quit": ()})
    assert keymap.keys(BY_ID["item.start"]) == ("t",)
    assert keymap.keys(BY_ID["item.stop"]) == ()
    assert keymap.keys(BY_ID["app.quit"]) == ()
    assert keymap.text(BY_ID["item.delete"]) == "d Del"


def test_every_kind_is_served():
    for kind in Kind:
        assert any(kind in command.kinds and command.action is Action.DELETE for command in COMMANDS)


def test_the_footer_of_a_view_dims_what_the_selected_forbids_and_drops_what_read_only_takes_away():
    disk = Medium("1", "/a.vdi", "disk", "VDI", 1, 1, users=("web",))
    here = Here(disk, "virtualbox", ("virtualbox",))
    hints = {hint.id: hint for hint in Keymap({}).hints_in("media", here, Rights(), [])}
    assert hints["media.grow"].enabled
    assert hints["media.remove"].reason == "it is in use by web"
    iso = Here(replace(disk, kind="iso", users=()), "virtualbox", ("virtualbox", "libvirt"))
    hints = {hint.id: hint for hint in Keymap({}).hints_in("media", iso, Rights(), [])}
    assert (hints["media.grow"].enabled, hints["media.remove"].enabled) == (False, True)
    # without a row only what needs none; the engine that is left can still make one
    nothing = Here(None, "", ("virtualbox", "libvirt"))
    lost = Rights({"virtualbox": "virtualbox does not answer"})
    hints = {hint.id: hint for hint in Keymap({}).hints_in("media", nothing, lost, [])}
    assert hints["media.create"].enabled
    assert hints["media.grow"].reason == "nothing is selected"
    hints = {hint.id: hint for hint in Keymap({}).hints_in("media", iso, lost, ["virtualbox"])}
    assert {"media.create", "media.filter"} == set(hints) - {"media.bring"}


def test_the_commands_of_views_that_change_something_say_so():
    looking = {"settings.again", "media.filter", "media.again", "tasks.output", "tasks.cancel", "tasks.forget"}
    for command in COMMANDS:
        if command.where in {"settings", "snapshots", "media"} and command.id not in looking:
            assert command.changes, command.id


def test_read_only_takes_commands_out_of_the_menu():
    start, inspect_ = BY_ID["item.start"], BY_ID["item.inspect"]
    assert not offered(start, [container()], ["docker"], ["docker"])
    assert offered(start, [container(), vm()], ["docker", "virtualbox"], ["docker"])
    assert offered(inspect_, [container()], ["docker"], ["docker"])
