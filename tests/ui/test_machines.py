"""VMs made and changed on the demo: as pictures, and by the keys an operator presses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.abilities.editing import Editing, Set, Settings
from backends.model import VM, Action, ActionOptions, Change, Kind, State
from backends.watch import Lost
from tests.ui.boxtop import TestApp, asked, listed, press, said, select, typed, until
from tui.handlers.settings import Quiet
from tui.media_view import MediaView
from tui.options import HostOption
from tui.settings_view import SettingsView
from widgets.confirm import Confirm
from widgets.form import Form
from widgets.picker import Picker
from widgets.table import Table

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])


def machines(app: TestApp) -> dict[str, VM]:
    return {item.name: item for item in app.store.of_kind(Kind.VM) if isinstance(item, VM)}


def form(app: TestApp) -> Form:
    assert isinstance(app.screen, Form)
    return app.screen


# -- a new VM ------------------------------------------------------------------------------------------------------


@SIZES
def test_the_form_of_a_new_vm(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "lab-fedora")
        app.main.visible = False
        await pilot.pause(0.4)

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_vm_is_made_by_the_form_and_its_defaults_follow_the_system(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "new one")
        form(app).set_values({"memory": "3g"})
        await pilot.pause()
        form(app).set_values({"os": "Windows11_64"})
        await until(pilot, lambda: form(app).values["size"] == "80g", "the disk of Windows 11")
        assert form(app).values["memory"] == "3g", "the user's own value stays"
        assert form(app).values["firmware"] == "uefi"
        form(app).set_values({"start": True, "cpus": "99"})
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "the host has fewer CPUs"
        form(app).set_values({"cpus": "4"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "new one" in machines(app), "the VM")
        await until(pilot, lambda: machines(app)["new one"].state is State.RUNNING, "its start")
        made = machines(app)["new one"]
        assert (made.cpus, made.memory, made.os_type) == (4, 3 << 30, "Windows 11 (64-bit)")


async def test_the_list_of_images_tells_which_are_base_images(app: TestApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await press(pilot, *["tab"] * list(form(app).values).index("image"), "ctrl+l")
        await asked(pilot, Picker)
        rows = [line for line in screen_text(app).splitlines() if "debian-12.vdi" in line]
        assert rows and "base image" in rows[0]
        assert any("build-debian.vdi" in line and "base image" not in line for line in screen_text(app).splitlines())


async def test_another_engine_is_chosen_in_the_form_and_what_was_typed_stays(tmp_path: Path) -> None:
    two = (HostOption("demo://virtualbox"), HostOption("demo://virtualbox?seed=2", "other"))
    async with TestApp(tmp_path / "journal.jsonl", hosts=two).run_test(size=(120, 40)) as pilot:
        app = await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "fresh")
        first = form(app)
        chosen = str(first.values["engine"])
        first.set_values({"memory": "3g", "os": "Windows11_64"})
        await until(pilot, lambda: first.values["size"] == "80g", "the disk of Windows 11")
        await press(pilot, "tab", "right")
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen is not first, "the other engine's form")
        await pilot.pause()
        values = form(app).values
        assert values["engine"] != chosen
        assert (values["name"], values["memory"], values["os"], values["size"]) == (
            "fresh",
            "3g",
            "Windows11_64",
            "80g",
        )
        form(app).set_values({"start": True})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "fresh" in machines(app), "the VM")
        assert machines(app)["fresh"].ref.engine == values["engine"]
        await until(pilot, lambda: machines(app)["fresh"].state is State.RUNNING, "its start")


async def test_a_failure_goes_with_the_vm_it_was_about(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.warnings._JUST_NOW", 0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        gone, other = (app.named(name).ref for name in ("lab-fedora", "build-debian"))
        for ref in (gone, other):
            app.main.warnings.of(ref, f"start {ref.id} failed")
        app.store.apply(Change(gone.engine, app.clock.now, removed=(gone,)))
        await until(pilot, lambda: gone.id not in said(app), "the notice of the VM that is gone")
        assert other.id in said(app)


async def test_an_offer_to_power_off_goes_with_the_vm_s_end(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        vm = machines(app)["build-debian"]
        assert vm.state is State.RUNNING
        engine = app.store.engines[vm.ref.engine]
        engine.lost = Lost(engine.key, engine.url, "no answer", "", False, app.clock.now, app.clock.now)
        app._ignored_shutdown(vm, 60)
        assert "powers off" not in said(app), "nobody knows what it did"
        engine.lost = None
        app._ignored_shutdown(vm, 60)
        assert "K powers off build-debian" in said(app)
        app.store.apply(Change(vm.ref.engine, app.clock.now, (replace(vm, state=State.OFF),)))
        await until(pilot, lambda: "build-debian" not in said(app), "the end of the offer")


async def test_a_new_vm_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    hosts = TestApp(tmp_path / "journal.jsonl")
    async with hosts.run_test(size=(120, 40)) as pilot:
        app = await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "regretted")
        form(app).set_values({"disk": "linked"})
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        form(app).set_values({"disk": "copy", "image": "/srv/vms/base/debian-12.vdi"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.tasks.under_way, "the task")
        await until(pilot, lambda: app.tasks.all[-1].at.done, "the copying")
        app.tasks.cancel(app.tasks.all[-1])
        await until(pilot, lambda: not app.tasks.under_way, "its end")
        await app.sample()
        assert "regretted" not in machines(app)
        assert "undone: the VM regretted" in "\n".join(app.tasks.all[-1].lines)


# -- settings ------------------------------------------------------------------------------------------------------


def settings(app: TestApp) -> SettingsView:
    view = app.main.views["settings"]
    assert isinstance(view, SettingsView)
    return view


def shown(app: TestApp) -> Settings:
    found = settings(app).shown
    assert found is not None
    return found


async def opened(pilot: Pilot[object], app: TestApp, name: str) -> None:
    """The settings of a VM."""
    await press(pilot, "2")
    await select(pilot, name)
    await press(pilot, "u")
    await until(pilot, lambda: app.main.view == "settings" and settings(app).shown, "the settings")
    await pilot.pause()


def screen_text(app: TestApp) -> str:
    """What is drawn on top."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def hinted(app: TestApp) -> dict[str, bool]:
    """The footer's own commands of the view shown, and whether they can be done now."""
    return {hint.id: hint.enabled for hint in app.main.keybar.hints if hint.id.startswith(f"{app.main.view}.")}


async def at(pilot: Pilot[object], app: TestApp, what: str) -> None:
    """The cursor on the row of this setting."""
    row = next(row for row in settings(app).table.rows if row.cells[1].text == what)
    assert settings(app).table.select(row.key)
    await pilot.pause()


@SIZES
def test_settings_of_a_running_vm(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await opened(pilot, app, "build-debian")

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_settings_of_a_vm_that_is_off_are_changed_and_its_disks_kept(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        await press(pilot, "enter")
        await asked(pilot, Form)
        form(app).set_values({"name": "lab fedora 42", "cpus": "6", "memory": "6g", "boot": "cdrom disk"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "lab fedora 42" in machines(app), "the new name")
        await until(pilot, lambda: shown(app).cpus == 6, "the view to know")
        assert (shown(app).memory, shown(app).boot) == (6 << 30, ("cdrom", "disk"))
        assert "CPUs now" in said(app)

        await at(pilot, app, "SATA 0")
        await press(pilot, "d")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: all(drive.kind != "disk" for drive in shown(app).drives), "the disk to be detached")
        await press(pilot, "plus")
        await asked(pilot, Picker)
        await press(pilot, "enter")
        await asked(pilot, Form)
        form(app).set_values({"source": "existing", "image": "/srv/vms/lab-fedora/lab-fedora.vdi"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any(drive.kind == "disk" for drive in shown(app).drives), "the kept disk again")


async def test_a_vm_changed_from_elsewhere_is_not_overwritten(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        await press(pilot, "enter")
        await asked(pilot, Form)
        backend = app.session.backend("virtualbox")
        assert backend is not None
        editing = backend.ability(Editing)
        assert editing is not None
        ref = app.named("lab-fedora").ref
        await editing.change(ref, await editing.settings(ref), Set("memory", 1 << 30), Quiet())
        form(app).set_values({"cpus": "8"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "changed from elsewhere" in said(app), "the news")
        assert machines(app)["lab-fedora"].cpus == 2
        await until(pilot, lambda: shown(app).memory == 1 << 30, "the settings as they are")


async def test_the_form_of_the_settings_begins_in_the_row_it_was_opened_from(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        await at(pilot, app, "memory")
        await press(pilot, "enter")
        await asked(pilot, Form)
        await press(pilot, "ctrl+u", "1", "g")
        assert form(app).values["memory"] == "1g"


async def test_a_running_vm_says_what_cannot_be_changed_and_takes_an_iso(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "build-debian")
        await press(pilot, "enter")
        await until(pilot, lambda: "only while the VM is off" in said(app), "the reason")
        await at(pilot, app, "IDE 1")
        await press(pilot, "enter")
        await asked(pilot, Form)
        form(app).set_values({"path": "/srv/iso/debian-12.9.0-amd64-netinst.iso"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any("netinst" in drive.path for drive in shown(app).drives), "the ISO")
        await press(pilot, "plus")
        await asked(pilot, Picker)
        await press(pilot, "down", "down", "enter")
        await asked(pilot, Form)
        form(app).set_values({"name": "web", "host_port": "8080", "guest_port": "80"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any(port.host_port == 8080 for port in shown(app).forwards), "the port")
        await press(pilot, "escape")
        await until(pilot, lambda: app.main.listing, "the list")


async def test_the_details_show_disks_adapters_and_ports_and_lead_to_the_settings(app: TestApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "build-debian")
        app.main.open_details("hardware")
        await until(pilot, lambda: app.main.query("#tab-hardware-parts"), "the tab")
        table = app.main.query_one("#tab-hardware-parts", Table)
        await until(pilot, lambda: table.row_count == 5, "its rows")
        assert [row.cells[1].text for row in table.rows] == ["IDE 1", "SATA 0", "SATA 1", "adapter 1", "ssh"]
        await press(pilot, "enter")
        await until(pilot, lambda: app.main.view == "settings", "the settings")


async def test_read_only_shows_settings_and_media_and_changes_nothing(tmp_path: Path) -> None:
    app = TestApp(tmp_path / "journal.jsonl", read_only=True)
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        for key in ("enter", "plus", "d"):
            await press(pilot, key)
            await until(pilot, lambda: "read-only" in said(app), "the refusal")
            assert not isinstance(app.screen, Form)
            app.main.warnings.dismiss_newest()
        assert hinted(app) == {"settings.again": True}
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/base/debian-12.vdi")
        assert hinted(app) == {"media.filter": True}
        for key in ("s", "y", "b", "plus"):
            await press(pilot, key)
            await until(pilot, lambda: "read-only" in said(app), "the refusal")
            app.main.warnings.dismiss_newest()
        await press(pilot, "d")
        await pilot.pause()
        assert "/srv/vms/base/debian-12.vdi" in paths(app)
        await press(pilot, "2", "plus")
        await until(pilot, lambda: "read-only" in said(app), "the refusal")


async def test_hints_of_what_the_row_forbids_are_dimmed_and_say_why(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "build-debian")
        await at(pilot, app, "memory")
        await until(pilot, lambda: not hinted(app)["settings.edit"], "the dimmed hint")
        assert not hinted(app)["settings.remove"] and hinted(app)["settings.add"]
        await press(pilot, "enter")
        await until(pilot, lambda: "change: VirtualBox changes it only while the VM is off" in said(app), "the reason")
        await press(pilot, "d")
        await until(pilot, lambda: "remove: only disks" in said(app), "the reason")
        assert app.screen is app.main
        await at(pilot, app, "IDE 1")
        await until(pilot, lambda: hinted(app)["settings.edit"], "that an ISO can be put in")
        assert not hinted(app)["settings.remove"]
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/base/debian-12.vdi")
        await until(pilot, lambda: hinted(app)["media.grow"] and not hinted(app)["media.remove"], "a base image")


async def test_an_adapter_is_added_and_removed_with_what_it_forwards(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        await press(pilot, "plus")
        await asked(pilot, Picker)
        await typed(pilot, "adapter")
        await press(pilot, "enter")
        await asked(pilot, Form)
        form(app).set_values({"network": "bridge:eno1", "mac": "09:00:27:00:00:01"})
        await until(pilot, lambda: "odd ones address groups" in screen_text(app), "what is wrong with that MAC")
        form(app).set_values({"mac": ""})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: [one.network for one in shown(app).adapters] == ["nat", "bridge:eno1"], "the second")
        rules = len(shown(app).forwards)
        assert rules and shown(app).adapters[1].no_forwards
        await at(pilot, app, "adapter 1")
        await press(pilot, "d")
        await asked(pilot, Confirm)
        assert f"Lost: {rules} forwarded port" in screen_text(app) and shown(app).adapters[0].mac in screen_text(app)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: [one.id for one in shown(app).adapters] == ["2"], "the first gone")
        assert not shown(app).forwards
        await press(pilot, "plus")
        await asked(pilot, Picker)
        assert "behind NAT only" in screen_text(app)


async def test_autostart_is_told_in_the_details_and_toggled_in_the_settings(app: TestApp) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "lab-fedora")
        assert "starts with its host" not in screen_text(app)
        await opened(pilot, app, "lab-fedora")
        await at(pilot, app, "autostart")
        await press(pilot, "enter")
        await asked(pilot, Form)
        form(app).set_values({"autostart": True})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: shown(app).autostart and machines(app)["lab-fedora"].autostart, "that it starts")
        await press(pilot, "escape")
        await until(pilot, lambda: "starts with its host" in screen_text(app), "the details tell")


async def test_settings_follow_the_state_of_their_vm(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await opened(pilot, app, "lab-fedora")
        await at(pilot, app, "memory")
        await until(pilot, lambda: hinted(app)["settings.edit"], "that it can be changed")
        backend = app.session.backend("virtualbox")
        assert backend is not None
        await backend.perform(Action.START, machines(app)["lab-fedora"].ref, ActionOptions())
        await until(pilot, lambda: shown(app).live and not hinted(app)["settings.edit"], "that it runs")


async def test_a_vm_is_renamed_by_its_key(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "lab-fedora")
        await press(pilot, "M")
        await asked(pilot, Form)
        form(app).set_values({"name": '-it\'s "new" 名'})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: '-it\'s "new" 名' in machines(app), "the new name")


# -- media ---------------------------------------------------------------------------------------------------------


def media(app: TestApp) -> MediaView:
    view = app.main.views["media"]
    assert isinstance(view, MediaView)
    return view


def paths(app: TestApp) -> set[str]:
    return {medium.path for _, medium in media(app).media}


async def on_medium(pilot: Pilot[object], app: TestApp, path: str) -> None:
    await until(pilot, lambda: path in paths(app), path)
    await pilot.pause()
    key = next((engine, medium.id) for engine, medium in media(app).media if medium.path == path)
    assert media(app).table.select(key)
    await pilot.pause()


@SIZES
def test_media(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/base/debian-12.vdi")

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_media_are_found_by_what_their_rows_show(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/base/debian-12.vdi")
        await press(pilot, "slash", *"base", "space", *"image")
        await until(pilot, lambda: len(media(app).table.rows) < len(media(app).media), "the filter")
        assert "debian-12.vdi" in [row.cells[0].text for row in media(app).table.rows]


async def test_media_are_made_grown_converted_and_deleted_only_when_nothing_uses_them(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/lab-fedora/lab-fedora.vdi")
        await press(pilot, "d")
        await until(pilot, lambda: "in use by lab-fedora" in said(app), "its user")

        await press(pilot, "plus")
        await asked(pilot, Form)
        form(app).set_values({"name": "spare", "size": "1g"})
        await press(pilot, "ctrl+s")
        await on_medium(pilot, app, "/srv/vms/spare.vdi")
        await press(pilot, "s")
        await asked(pilot, Form)
        form(app).set_values({"size": "512m"})
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "it cannot shrink"
        form(app).set_values({"size": "2g"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any(medium.virtual == 2 << 30 for _, medium in media(app).media), "its new size")

        await on_medium(pilot, app, "/srv/vms/spare.vdi")
        await press(pilot, "y")
        await asked(pilot, Picker)
        await press(pilot, "enter")
        await on_medium(pilot, app, "/srv/vms/spare.vmdk")
        await press(pilot, "d")
        await asked(pilot, Confirm)
        await typed(pilot, "spare.vmdk")
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "/srv/vms/spare.vmdk" not in paths(app), "its end")


async def test_a_base_image_is_what_linked_copies_rest_on(app: TestApp) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "equals_sign")
        await on_medium(pilot, app, "/srv/vms/base/debian-12.vdi")
        await press(pilot, "b")
        await until(pilot, lambda: "base image no more" in said(app), "the mark's end")
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "thin")
        form(app).set_values({"disk": "linked"})
        await until(pilot, lambda: form(app).values["image"] == "/srv/vms/base/windows-11.vdi", "the one that is left")
        form(app).set_values({"image": "/srv/vms/base/debian-12.vdi"})
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "it is no base image"
        form(app).set_values({"image": "/srv/vms/base/windows-11.vdi"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "thin" in machines(app), "the VM")


async def test_a_narrow_footer_still_names_help_and_the_way_out(app: TestApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        for keys, view in (("4", "host"), ("5", "journal"), ("8", "tasks"), ("9", "events"), ("=", "media")):
            await press(pilot, "2", *keys)
            await until(pilot, lambda view=view: app.main.view == view, view)
            await names_the_way_out(pilot, app)
        for key, view in (("S", "snapshots"), ("u", "settings"), ("l", "engine-log"), ("V", "screen")):
            await press(pilot, "2")
            await select(pilot, "build-debian")
            await press(pilot, key)
            await until(pilot, lambda view=view: app.main.view == view, view)
            await names_the_way_out(pilot, app)


async def names_the_way_out(pilot: Pilot[object], app: TestApp) -> None:
    """The footer, as it is drawn, has what goes back and what helps."""
    await pilot.pause()
    footer = app.main.keybar.line(0).text
    assert "Esc back" in footer, footer
    assert "? help" in footer, footer
