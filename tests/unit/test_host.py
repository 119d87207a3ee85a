"""The machine's own load: against this machine, against captured trees, and with things missing or hanging."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from backends.filesystems import FileSystems, measure, parse_mounts
from backends.host import HostSampler, core_fractions, physical_interfaces, rates, temperatures, whole_disks
from backends.probe import Probe

MOUNTINFO = r"""
22 27 0:21 / /proc rw - proc proc rw
24 27 0:6 / /dev rw - devtmpfs devtmpfs rw
27 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw
28 27 259:3 / /old rw - ext4 /dev/nvme0n1p3 rw
29 28 259:4 / /old rw - ext4 /dev/nvme0n1p4 rw
30 27 259:2 /srv/data /var/data rw - ext4 /dev/nvme0n1p2 rw
31 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
32 27 0:45 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw
33 27 0:50 /@home /home rw shared:1 master:2 - btrfs /dev/sdb1 rw
34 27 0:51 /@snapshots /home/.snapshots rw - btrfs /dev/sdb1 rw
35 27 0:60 / /mnt/nas\040box rw - nfs4 nas:/export rw
36 27 0:61 / /mnt/auto rw - autofs systemd-1 rw
37 27 0:62 / /run/user/1000/doc rw - fuse.portal portal rw
38 27 8:33 /resolv.conf /etc/resolv.conf rw - ext4 /dev/sdc1 rw
39 27 8:33 / /srv/c rw - ext4 /dev/sdc1 rw
nonsense
40 27 0:70 / /tmp rw - tmpfs tmpfs rw
"""


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_first_sample_is_whole_and_agrees_with_the_kernel() -> None:
    sampler = HostSampler(first_wait=0.2)
    usage = await sampler.sample()
    assert len(usage.cores) == psutil.cpu_count()
    assert all(0 <= core <= 1 for core in usage.cores)
    assert usage.cpu == pytest.approx(sum(usage.cores) / len(usage.cores))
    memory = psutil.virtual_memory()
    assert usage.memory_total == memory.total
    assert usage.memory_used == pytest.approx(memory.total - memory.available, rel=0.2)
    assert usage.swap_total == psutil.swap_memory().total
    assert usage.boot == psutil.boot_time()
    assert usage.name
    assert abs(usage.time - time.time()) < 60
    assert usage.load is not None
    await sampler.close()


async def test_file_systems_agree_with_df() -> None:
    sampler = HostSampler(first_wait=0.2)
    await sampler.sample()
    found = {}
    async with asyncio.timeout(30):
        while "/" not in found:
            found.update({system.mount: system for system in (await sampler.sample()).file_systems})
            await asyncio.sleep(0.02)
    child = await asyncio.create_subprocess_exec("df", "-B1", "--output=used,size", "/", stdout=subprocess.PIPE)
    text, _ = await child.communicate()
    used, total = map(int, text.decode().splitlines()[1].split())
    assert found["/"].total == total
    assert found["/"].used == pytest.approx(used, rel=0.05)


async def test_a_busy_core_is_seen() -> None:
    sampler = HostSampler(first_wait=0.01)
    await sampler.sample()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
    try:
        busiest = 0.0
        async with asyncio.timeout(60):
            while busiest < 0.8:
                await asyncio.sleep(0.5)
                busiest = max((await sampler.sample()).cores)
    finally:
        child.kill()
        await child.wait()


async def test_samples_in_quick_succession_keep_their_figures() -> None:
    sampler = HostSampler(first_wait=0.1)
    await sampler.sample()
    async with asyncio.timeout(60):
        while True:
            began = time.monotonic()
            first = await sampler.sample()
            second = await sampler.sample()
            # on a loaded machine more time may pass than is too little to tell anything
            if time.monotonic() - began < 0.02:
                break
            await asyncio.sleep(0.05)
    assert second.cores == first.cores
    assert second.disk_read == first.disk_read


async def test_a_machine_that_hides_everything_is_still_sampled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a container whose /proc is masked."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    sampler = HostSampler(first_wait=0.0, sys=tmp_path)
    usage = await sampler.sample()
    assert usage.cores == ()
    assert usage.cpu == 0.0
    assert (usage.disk_read, usage.network_receive) == (None, None)
    assert usage.memory_total == 0


def test_core_fractions() -> None:
    before = ((10.0, 100.0), (10.0, 100.0), (10.0, 100.0))
    assert core_fractions(before, ((11.0, 102.0), (10.0, 100.0), (9.0, 101.0))) == (0.5, 0.0, 0.0)
    assert core_fractions(before, before[:2]) == ()


def test_rates_count_only_devices_seen_twice_and_survive_a_reset() -> None:
    assert rates({"a": (100, 0), "b": (50, 5)}, {"a": (300, 40), "b": (0, 0), "new": (9999, 9999)}, 2.0) == (
        100.0,
        20.0,
    )
    assert rates({}, {"a": (1, 1)}, 1.0) == (None, None)
    assert rates({"a": (1, 1)}, {"a": (1, 1)}, 0.0) == (None, None)


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).mkdir(parents=True)
    return root


def test_traffic_is_counted_once(tmp_path: Path) -> None:
    names = ["lo", "eno1", "wlan0", "bond0", "eno1.100", "docker0", "br-0a1b", "veth12", "virbr0", "tap0", "wg0"]
    system = tree(tmp_path, "class/net/eno1/device", "class/net/wlan0/device", "class/net/docker0")
    assert physical_interfaces(names, system) == {"eno1", "wlan0"}
    nowhere = tmp_path / "nowhere"
    assert physical_interfaces(["lo", "eth0", "docker0"], nowhere) == {"eth0"}
    assert physical_interfaces(["lo", "veth0", "tap1"], nowhere) == {"veth0", "tap1"}
    assert physical_interfaces(["lo"], nowhere) == frozenset()


def test_disks_are_counted_once(tmp_path: Path) -> None:
    names = ["nvme0n1", "nvme0n1p1", "sda", "sda1", "dm-0", "md0", "loop0", "sr0", "zram0", "cciss/c0d0"]
    system = tree(tmp_path, *(f"block/{name.replace('/', '!')}" for name in names if name not in ("nvme0n1p1", "sda1")))
    assert whole_disks(names, system) == {"nvme0n1", "sda", "cciss/c0d0"}
    assert whole_disks(["dm-0", "loop0"], system) == {"dm-0"}
    assert whole_disks(["vda", "vda1", "mmcblk0", "mmcblk0p2"], tmp_path / "nowhere") == {"vda", "mmcblk0"}
    assert whole_disks([], system) == frozenset()


def test_only_storage_is_a_file_system_and_each_counts_once() -> None:
    mounts = {mount.path: (mount.device, mount.type) for mount in parse_mounts(MOUNTINFO)}
    assert mounts == {
        "/": ("/dev/nvme0n1p2", "ext4"),
        "/old": ("/dev/nvme0n1p4", "ext4"),
        "/home": ("/dev/sdb1", "btrfs"),
        "/mnt/nas box": ("nas:/export", "nfs4"),
        "/srv/c": ("/dev/sdc1", "ext4"),
    }


def test_a_containers_root_counts_whatever_it_is_on() -> None:
    assert [mount.path for mount in parse_mounts("1 0 0:9 / / rw - overlay overlay rw")] == ["/"]


def test_a_file_is_no_file_system(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("")
    assert measure(str(tmp_path / "hosts")) is None
    used_total = measure(str(tmp_path))
    assert used_total is not None and 0 <= used_total[0] <= used_total[1]


async def test_a_mount_that_hangs_is_left_out_and_disturbs_nobody(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:60 / /mnt/dead rw - nfs4 nas:/x rw\n"
        "3 1 8:2 / /gone\x1b[2J rw - ext4 /dev/sda2 rw\n4 1 8:3 / /broken rw - ext4 /dev/sda3 rw\n"
    )
    release = threading.Event()
    hanging = 0

    def figures(path: str) -> tuple[int, int] | None:
        nonlocal hanging
        if path == "/mnt/dead":
            hanging += 1
            release.wait(30)
        if path == "/broken":
            raise OSError("Input/output error")
        return 1, 2

    systems = FileSystems(period=0.0, patience=0.1, mountinfo=mountinfo, measure=figures)
    await until(lambda: len(systems.current()) == 2)
    shown = [system.mount for system in systems.current()]
    assert shown[0] == "/"
    assert shown[1].isprintable()
    assert hanging == 1
    release.set()
    await until(lambda: "/mnt/dead" in [system.mount for system in systems.current()])
    mountinfo.unlink()
    assert systems.current() == ()


def test_a_hanging_read_does_not_keep_the_program() -> None:
    code = (
        "import threading; from backends.probe import Probe\n"
        "begun = threading.Event()\n"
        "probe = Probe(lambda: (begun.set(), threading.Event().wait()), 'dead'); probe.start(); begun.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


async def test_a_probe_that_fails_knows_nothing_and_may_try_again() -> None:
    outcomes: list[int | Exception] = [1, OSError("gone"), 2]

    def read() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    probe = Probe(read, "test")
    assert probe.value(1.0) is None
    for expected in (1, None, 2):
        left = len(outcomes)
        probe.start()
        await until(lambda: len(outcomes) < left and probe.value(60.0) == expected)  # noqa: B023


def test_temperatures_keep_only_plausible_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = {
        chip: [SimpleNamespace(current=current) for current in currents]
        for chip, currents in {
            "coretemp": (41.0, 55.0),
            "acpitz": (0.0, None),
            "nct\x1b[31m": (-128.0, 33.0, 255.0),
        }.items()
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: readings, raising=False)
    assert temperatures() == (("coretemp", 55.0), ("nct", 33.0))
