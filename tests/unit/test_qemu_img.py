"""What qemu-img says of images of unknown origin."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backends.libvirt import qemu_img

pytestmark = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img not found: apt-get install qemu-utils")


def convert(plain: Path, made: Path) -> None:
    command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "--", str(plain), str(made)]
    subprocess.run(command, check=True, timeout=60)


async def test_a_qcow2_image_that_was_cut_off_is_known(tmp_path: Path) -> None:
    plain, whole, cut = tmp_path / "plain", tmp_path / "-whole.qcow2", tmp_path / "cut.qcow2"
    plain.write_bytes(b"boxtop" * 100_000)
    convert(plain, whole)
    assert await qemu_img.damage(str(whole)) == ""
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert await qemu_img.damage(str(cut))
    cut.write_bytes(b"QFI\xfb" + b"boxtop" * 100)
    assert await qemu_img.damage(str(cut))
    # leaked space does no harm
    whole.write_bytes(whole.read_bytes() + bytes(1 << 20))
    assert await qemu_img.damage(str(whole)) == ""
