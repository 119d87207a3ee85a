"""Which libvirt daemons this machine has: no library is loaded, and no user's daemon started, for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.libvirt.here import SESSION, SYSTEM, daemons


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def _made(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_a_machine_without_libvirt_has_none(tmp_path: Path) -> None:
    (tmp_path / "home/.config/libvirt/qemu/networks").mkdir(parents=True)
    assert list(daemons(tmp_path / "run", tmp_path / "home")) == []


@pytest.mark.parametrize("name", ["libvirt-sock", "virtqemud-sock"])
def test_the_system_s_daemon_is_known_by_either_socket(tmp_path: Path, name: str) -> None:
    _made(tmp_path / "run/libvirt" / name)
    assert list(daemons(tmp_path / "run", tmp_path / "home")) == [SYSTEM]


def test_the_user_s_daemon_counts_where_a_vm_is_defined(tmp_path: Path) -> None:
    _made(tmp_path / "run/libvirt/libvirt-sock")
    _made(tmp_path / "home/.config/libvirt/qemu/desk.xml")
    assert list(daemons(tmp_path / "run", tmp_path / "home")) == [SYSTEM, SESSION]


def test_the_user_s_daemon_counts_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "user"))
    _made(tmp_path / "user/libvirt/virtqemud-sock")
    assert list(daemons(tmp_path / "run", tmp_path / "home")) == [SESSION]
