"""Files that VMs of another engine have are no losses of a deletion."""

from __future__ import annotations

import os

import pytest

from backends.base import EngineError
from backends.model import Kind, Loss, Ref
from backends.same_file import file_key
from tui.held import without_held
from tui.store import Store


class Engine:
    """What another engine answers."""

    def __init__(self, held: dict[str, str], *, lost: bool = False) -> None:
        self.held = held
        self.lost = lost
        self.asked: list[str] = []

    async def holders(self, paths):
        self.asked += paths
        if self.lost:
            raise EngineError("it is gone")
        return {path: names for path, names in self.held.items() if path in paths}


@pytest.fixture
def store() -> Store:
    made = Store()
    for key in ("libvirt", "virtualbox", "third"):
        made.add_engine(key, f"{key}://", (Kind.VM,), read_only=False)
    return made


async def test_what_another_engine_has_is_kept(store: Store) -> None:
    engines = {
        "libvirt": Engine({"/a": "itself"}),
        "virtualbox": Engine({"/a": "web"}),
        "third": Engine({}, lost=True),
    }
    vm = Ref("libvirt", Kind.VM, "1")
    losses = {vm: (Loss("/a", "hda:/a", 5), Loss("/b", "hdb:/b", 5), Loss("/c", "", 5, "it is shared"))}
    found = await without_held(store, engines.get, losses)
    assert found[vm][0] == Loss("/a", "", 5, "also used by web on virtualbox")
    assert found[vm][1:] == losses[vm][1:]
    assert engines["virtualbox"].asked == ["/a", "/b"]
    assert engines["libvirt"].asked == []


def test_a_file_is_told_by_what_it_is(tmp_path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "link").symlink_to(file)
    os.link(file, tmp_path / "hard")
    keys = {
        file_key(str(tmp_path / name)) for name in ("file", "link", "hard", "./file", "../" + tmp_path.name + "/file")
    }
    assert len(keys) == 1
    assert file_key(str(tmp_path / "x/../gone")) == file_key(str(tmp_path / "gone"))
