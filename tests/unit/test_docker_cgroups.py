"""Load from cgroup files: version 2 as systemd machines have it, version 1, both drivers, rootless, nested."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.docker.cgroup_paths import CgroupFinder
from backends.docker.counters import cpu_limit_v1, cpu_limit_v2, disk_v1, disk_v2, field, memory_limit, network_totals
from backends.docker.sampler import CgroupSampler

ID = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4

CPU_STAT = """\
usage_usec {usage}
user_usec 7304810
system_usec 1045190
core_sched.force_idle_usec 0
nr_periods 0
nr_throttled 0
throttled_usec 0
nr_bursts 0
burst_usec 0
"""
MEMORY_STAT = """\
anon 20971520
file 15728640
kernel 2113536
kernel_stack 81920
pagetables 262144
sec_pagetables 0
percpu 1440
sock 0
vmalloc 0
shmem 0
zswap 0
zswapped 0
file_mapped 5406720
file_dirty 0
file_writeback 0
swapcached 0
anon_thp 0
file_thp 0
shmem_thp 0
inactive_anon 20955136
active_anon 16384
inactive_file 10485760
active_file 5242880
unevictable 0
slab_reclaimable 1245184
slab_unreclaimable 409600
slab 1654784
workingset_refault_anon 0
workingset_refault_file 12
pgfault 48213
pgmajfault 31
"""
MEMORY_STAT_V1 = """\
cache 15728640
rss 20971520
inactive_file 4096
hierarchical_memory_limit 268435456
total_cache 15728640
total_inactive_anon 20955136
total_inactive_file 10485760
total_active_file 5242880
"""
IO_STAT = """\
8:0 rbytes=1048576 wbytes={written} rios=20 wios=11 dbytes=0 dios=0
259:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0
"""
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999999     100    0    0    0     0          0         0   999999     100    0    0    0     0       0          0
  eth0:{received}      30    0    0    0     0          0         0     7000      30    0    0    0     0       0          0
  eth1:     100       1    0    0    0     0          0         0      200       2    0    0    0     0       0          0
"""  # noqa: E501


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tree:
    """A machine's /sys/fs/cgroup and /proc."""

    def __init__(self, folder: Path) -> None:
        self.root, self.proc = folder / "cgroup", folder / "proc"
        self.root.mkdir()
        (self.proc / "self/net").mkdir(parents=True)
        (self.proc / "self/net/dev").write_text(NET_DEV.format(received=1))
        self.clock = Clock()

    def unified(self) -> Tree:
        (self.root / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma misc\n")
        return self

    def group(
        self, path: str, *, usage: int = 8_350_000, written: int = 0, pid: int | None = 77, processes: str = ""
    ) -> Path:
        """A container's cgroup v2, its processes in the child `processes` where one is named."""
        folder = self.root / path
        (folder / processes).mkdir(parents=True, exist_ok=True)
        (folder / "cpu.stat").write_text(CPU_STAT.format(usage=usage))
        (folder / "cpu.max").write_text("150000 100000\n")
        (folder / "memory.current").write_text("37748736\n")
        (folder / "memory.max").write_text("max\n")
        (folder / "memory.stat").write_text(MEMORY_STAT)
        (folder / "io.stat").write_text(IO_STAT.format(written=written))
        (folder / "pids.current").write_text("4\n")
        (folder / "cgroup.procs").write_text("")
        (folder / processes / "cgroup.procs").write_text("" if pid is None else f"{pid}\n{pid + 1}\n")
        return folder

    def process(self, pid: int, received: int) -> None:
        (self.proc / f"{pid}/net").mkdir(parents=True, exist_ok=True)
        (self.proc / f"{pid}/net/dev").write_text(NET_DEV.format(received=f"{received:8}"))

    def sampler(self, files: int = 100) -> CgroupSampler:
        return CgroupSampler(str(self.root), str(self.proc), files=files, clock=self.clock)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


PLACES = [
    f"system.slice/docker-{ID}.scope",
    f"docker/{ID}",
    f"machine.slice/libpod-{ID}.scope",
    f"libpod_parent/libpod-{ID}",
    f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
    f"user.slice/user-1000.slice/user@1000.service/app.slice/docker-{ID}.scope",
    f"docker/{OTHER}/docker/{ID}",
    f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/docker-{ID}.scope",
]


@pytest.mark.parametrize("files", [100, 0])
@pytest.mark.parametrize("place", PLACES)
def test_version_2(tree: Tree, place: str, files: int) -> None:
    folder = tree.unified().group(place)
    tree.process(77, 500)
    (tree.root / f"machine.slice/libpod-conmon-{ID}.scope").mkdir(parents=True)
    sampler = tree.sampler(files)
    first = sampler.sample([ID])[ID]
    assert (first.cpu, first.network_receive, first.disk_write) == (None, None, None)
    assert (first.memory, first.memory_cache) == (37748736 - 10485760, 15728640)
    assert (first.memory_limit, first.cpu_limit, first.pids) == (None, 1.5, 4)
    tree.clock.now += 2
    (folder / "cpu.stat").write_text(CPU_STAT.format(usage=8_350_000 + 2_500_000))
    (folder / "io.stat").write_text(IO_STAT.format(written=4000))
    tree.process(77, 2500)
    second = sampler.sample([ID])[ID]
    assert second.cpu == pytest.approx(1.25)
    assert (second.network_receive, second.network_transmit) == (1000, 0)
    assert (second.disk_read, second.disk_write) == (0, 2000)
    sampler.close()


def test_processes_one_level_down_as_podman_has_them(tree: Tree) -> None:
    tree.unified().group(f"machine.slice/libpod-{ID}.scope", processes="container")
    tree.process(77, 500)
    sampler = tree.sampler()
    sampler.sample([ID])
    tree.clock.now += 1
    tree.process(77, 600)
    assert sampler.sample([ID])[ID].network_receive == 100
    sampler.close()


def test_version_1(tree: Tree) -> None:
    def write(controller: str, file: str, text: str) -> None:
        folder = tree.root / controller / f"docker/{ID}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)

    write("cpuacct", "cpuacct.usage", "1000000000\n")
    write("cpu", "cpu.cfs_quota_us", "50000\n")
    write("cpu", "cpu.cfs_period_us", "100000\n")
    write("memory", "memory.usage_in_bytes", "37748736\n")
    write("memory", "memory.limit_in_bytes", "9223372036854771712\n")
    write("memory", "memory.stat", MEMORY_STAT_V1)
    write("memory", "cgroup.procs", "77\n")
    write("blkio", "blkio.throttle.io_service_bytes_recursive", "8:0 Read 100\n8:0 Write 7\n8:0 Total 107\nTotal 107\n")
    write("pids", "pids.current", "2\n")
    tree.process(77, 0)
    sampler = tree.sampler()
    first = sampler.sample([ID])[ID]
    assert (first.memory, first.memory_limit, first.cpu_limit, first.pids) == (27262976, None, 0.5, 2)
    assert first.memory_cache == 15728640
    tree.clock.now += 1
    write("cpuacct", "cpuacct.usage", "1250000000\n")
    second = sampler.sample([ID])[ID]
    assert second.cpu == pytest.approx(0.25)
    assert (second.disk_read, second.network_transmit) == (0, 0)
    sampler.close()


def test_the_joined_cpu_hierarchy_of_version_1(tree: Tree) -> None:
    folder = tree.root / "cpu,cpuacct/docker" / ID
    folder.mkdir(parents=True)
    (folder / "cpuacct.usage").write_text("1\n")
    sampler = tree.sampler()
    assert sampler.sample([ID])[ID].memory is None
    sampler.close()


def test_a_container_without_its_own_network_shows_none(tree: Tree) -> None:
    """The namespace is told by the file of net/dev, which those who share one share."""
    tree.unified().group(f"docker/{ID}")
    (tree.proc / "77/net").mkdir(parents=True)
    os.link(tree.proc / "self/net/dev", tree.proc / "77/net/dev")
    sampler = tree.sampler()
    sampler.sample([ID])
    tree.clock.now += 1
    assert sampler.sample([ID])[ID].network_receive is None
    sampler.close()


def test_the_first_process_may_end_before_the_others(tree: Tree) -> None:
    folder = tree.unified().group(f"docker/{ID}")
    tree.process(77, 500)
    sampler = tree.sampler()
    sampler.sample([ID])
    (tree.proc / "77/net/dev").unlink()
    tree.process(78, 700)
    (folder / "cgroup.procs").write_text("78\n")
    tree.clock.now += 1
    assert sampler.sample([ID])[ID].network_receive == 200
    sampler.close()


def test_a_counter_that_went_back_gives_no_rate(tree: Tree) -> None:
    folder = tree.unified().group(f"docker/{ID}")
    sampler = tree.sampler()
    sampler.sample([ID])
    tree.clock.now += 1
    (folder / "cpu.stat").write_text(CPU_STAT.format(usage=5))
    assert sampler.sample([ID])[ID].cpu is None
    tree.clock.now += 1
    (folder / "cpu.stat").write_text(CPU_STAT.format(usage=500_005))
    assert sampler.sample([ID])[ID].cpu == pytest.approx(0.5)
    sampler.close()


def test_asked_twice_at_once_the_last_figures_stand(tree: Tree) -> None:
    folder = tree.unified().group(f"docker/{ID}")
    sampler = tree.sampler()
    sampler.sample([ID])
    tree.clock.now += 1
    (folder / "cpu.stat").write_text(CPU_STAT.format(usage=9_350_000))
    second = sampler.sample([ID])[ID]
    tree.clock.now += 0.01
    assert sampler.sample([ID])[ID] == second
    sampler.close()


def test_limits_that_change_are_seen(tree: Tree) -> None:
    folder = tree.unified().group(f"docker/{ID}")
    sampler = tree.sampler()
    assert sampler.sample([ID])[ID].memory_limit is None
    (folder / "memory.max").write_text("268435456\n")
    seen = []
    for _ in range(20):
        tree.clock.now += 1
        seen.append(sampler.sample([ID])[ID].memory_limit)
    assert seen[-1] == 268435456
    sampler.close()


def test_files_are_within_the_budget_and_closed_when_not_asked_for(tree: Tree) -> None:
    def opened() -> int:
        return sum(
            os.readlink(entry).startswith((str(tree.root), str(tree.proc)))
            for entry in Path("/proc/self/fd").iterdir()
            if entry.is_symlink()
        )

    ids = [f"{number:064x}" for number in range(20)]
    for number, identity in enumerate(ids):
        tree.unified().group(f"docker/{identity}", pid=100 + 2 * number)
        tree.process(100 + 2 * number, number)
    sampler = tree.sampler(files=12)
    for number in range(2):
        found = sampler.sample(ids)
        assert len(found) == 20
        assert all(usage.network_receive == (0 if number else None) for usage in found.values())
        assert opened() <= 12
        tree.clock.now += 1
    tree.clock.now += 60
    sampler.sample([ids[0]])
    assert opened() <= 6
    sampler.close()
    assert opened() == 0


def test_an_unknown_id_is_walked_for_once_in_a_while(tree: Tree) -> None:
    tree.unified()
    finder = CgroupFinder(str(tree.root))
    assert finder.find([ID], 0.0) == {}
    tree.group(f"docker/{ID}")
    assert finder.find([ID], 1.0) == {}
    assert finder.find([ID], 6.0) == {ID: f"docker/{ID}"}
    tree.group(f"docker/{OTHER}")
    assert finder.find([OTHER], 6.1) == {OTHER: f"docker/{OTHER}"}


def test_a_process_names_its_cgroup_only_where_the_container_is_in_it(tree: Tree) -> None:
    tree.unified().group(f"odd/place/docker-{ID}.scope")
    (tree.proc / "5").mkdir()
    (tree.proc / "6").mkdir()
    (tree.proc / "5/cgroup").write_text(f"0::/odd/place/docker-{ID}.scope/init\n")
    (tree.proc / "6/cgroup").write_text("0::/user.slice\n")
    finder = CgroupFinder(str(tree.root), str(tree.proc))
    assert finder.adopt(ID, 5) == f"odd/place/docker-{ID}.scope"
    assert finder.adopt(OTHER, 6) is None
    assert finder.adopt(OTHER, 99) is None


def test_no_cgroups_here(tmp_path: Path) -> None:
    finder = CgroupFinder(str(tmp_path / "none"))
    assert not finder.readable
    assert finder.find([ID], 0.0) == {}


def test_fields() -> None:
    assert field(b"usage_usec 12\nuser_usec 3\n", b"usage_usec ") == 12
    assert field(b"active_file 1\ninactive_file 2", b"inactive_file ") == 2
    assert field(b"total_inactive_file 3\n", b"inactive_file ") is None
    assert field(b"", b"usage_usec ") is None


def test_limits() -> None:
    assert cpu_limit_v2(b"max 100000\n") is None
    assert cpu_limit_v2(b"50000 100000\n") == 0.5
    assert cpu_limit_v2(b"") is None
    assert cpu_limit_v1(b"-1\n", b"100000\n") is None
    assert cpu_limit_v1(b"250000\n", b"100000\n") == 2.5
    assert memory_limit(b"max\n") is None
    assert memory_limit(b"9223372036854771712\n") is None
    assert memory_limit(b"4096\n") == 4096


def test_totals() -> None:
    assert disk_v2(IO_STAT.format(written=5).encode()) == (1052672, 5)
    assert disk_v2(b"") == (0, 0)
    assert disk_v2(b"8:0 \n") == (0, 0)
    assert disk_v1(b"Total 0\n") == (0, 0)
    assert network_totals(NET_DEV.format(received="     500").encode()) == (600, 7200)
