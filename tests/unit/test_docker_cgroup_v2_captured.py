"""Load from cgroup v2 files that Linux 6.1 wrote while loads ran in them, against what it says of their processes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backends.docker.cgroup_paths import CgroupFinder
from backends.docker.sampler import CgroupSampler
from backends.model import Usage
from tests.unit.captured import CapturedMachine

BUSY = "a" * 64
"""Docker, cgroupfs driver, no limits: a loop; no disk."""
LIMITED = "b" * 64
"""Docker, systemd driver, half a CPU, 64 MiB: a loop, and a disk read through the page cache."""
ROOTLESS = "c" * 64
"""Docker without root, where systemd delegates the controllers memory and pids alone."""
DISK = "d" * 64
"""Podman, its process in a child, its monitor's cgroup beside it: one disk copied to another."""

PATHS = {
    BUSY: f"docker/{BUSY}",
    LIMITED: f"system.slice/docker-{LIMITED}.scope",
    ROOTLESS: f"user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ROOTLESS}.scope",
    DISK: f"machine.slice/libpod-{DISK}.scope",
}
EACH = pytest.mark.parametrize("container", PATHS, ids=["cgroupfs", "systemd", "rootless", "podman"])
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path: Path) -> CapturedMachine:
    return CapturedMachine(tmp_path)


def sampler(machine: CapturedMachine) -> CgroupSampler:
    return CgroupSampler(str(machine.root), str(machine.proc), files=100, clock=machine.uptime)


def usage(machine: CapturedMachine) -> dict[str, Usage]:
    """As the sampler has it at the second snapshot."""
    sampling = sampler(machine)
    try:
        sampling.sample(PATHS)
        machine.show("second")
        return sampling.sample(PATHS)
    finally:
        sampling.close()


def finder(machine: CapturedMachine) -> CgroupFinder:
    return CgroupFinder(str(machine.root), str(machine.proc))


def test_every_layout_is_found_by_id(machine: CapturedMachine) -> None:
    assert finder(machine).unified
    assert finder(machine).find(PATHS, 0.0) == PATHS


def test_a_monitor_that_outlives_its_container_is_not_taken_for_it(machine: CapturedMachine) -> None:
    shutil.rmtree(machine.root / PATHS[DISK])
    assert (machine.root / f"machine.slice/libpod-conmon-{DISK}.scope").is_dir()
    assert finder(machine).find([DISK], 0.0) == {}


@EACH
def test_a_process_leads_to_its_container(machine: CapturedMachine, container: str) -> None:
    for pid in machine.processes(PATHS[container]):
        assert finder(machine).adopt(container, pid) == PATHS[container]


@EACH
def test_cpu_is_what_the_processes_used(machine: CapturedMachine, container: str) -> None:
    before, start = machine.cpu_seconds(PATHS[container]), machine.uptime()
    cpu = usage(machine)[container].cpu
    expected = (machine.cpu_seconds(PATHS[container]) - before) / (machine.uptime() - start)
    assert expected > 0.02
    # Two of the ticks that /proc counts in weigh more than a tenth in the load of the disk
    assert cpu == pytest.approx(expected, rel=0.1, abs=0.004)


def test_a_limited_container_stays_within_its_cpus(machine: CapturedMachine) -> None:
    limited = usage(machine)[LIMITED]
    assert machine.table(f"{PATHS[LIMITED]}/cpu.stat")["nr_throttled"] > 0
    assert limited.cpu is not None
    assert limited.cpu_limit is not None
    assert limited.cpu <= limited.cpu_limit * 1.1


@EACH
def test_memory_is_without_the_cache_that_can_go(machine: CapturedMachine, container: str) -> None:
    memory = usage(machine)[container].memory
    inactive = machine.table(f"{PATHS[container]}/memory.stat")["inactive_file"]
    assert memory == int(machine.value(f"{PATHS[container]}/memory.current")) - inactive


def test_a_page_cache_at_the_limit_is_not_memory_in_use(machine: CapturedMachine) -> None:
    found = usage(machine)[LIMITED]
    memory = found.memory
    assert found.memory_cache == machine.table(f"{PATHS[LIMITED]}/memory.stat")["file"] > 50 * MIB
    assert int(machine.value(f"{PATHS[LIMITED]}/memory.current")) > 60 * MIB
    assert memory is not None
    assert 8 * MIB < memory < 20 * MIB


def test_limits_are_the_kernels_and_none_where_there_are_none(machine: CapturedMachine) -> None:
    limits = {container: (found.cpu_limit, found.memory_limit) for container, found in usage(machine).items()}
    assert limits == {
        BUSY: (None, None),
        LIMITED: (0.5, 64 * MIB),
        ROOTLESS: (None, None),
        DISK: (None, None),
    }


@EACH
def test_pids_are_those_of_its_processes(machine: CapturedMachine, container: str) -> None:
    assert usage(machine)[container].pids == len(machine.processes(PATHS[container]))


@pytest.mark.parametrize("container", [BUSY, LIMITED, DISK], ids=["no disk", "one disk", "two disks"])
def test_disk_rates_are_what_the_processes_had_moved(machine: CapturedMachine, container: str) -> None:
    before, start = machine.disk_bytes(PATHS[container]), machine.uptime()
    found = usage(machine)[container]
    after, elapsed = machine.disk_bytes(PATHS[container]), machine.uptime() - start
    # One request may be counted on the one side and not yet on the other
    one = MIB / elapsed
    assert found.disk_read == pytest.approx((after[0] - before[0]) / elapsed, rel=0.01, abs=one if after[0] else 0)
    assert found.disk_write == pytest.approx((after[1] - before[1]) / elapsed, rel=0.01, abs=one if after[1] else 0)


def test_the_disks_did_work(machine: CapturedMachine) -> None:
    found = usage(machine)
    assert min(found[LIMITED].disk_read or 0, found[DISK].disk_read or 0, found[DISK].disk_write or 0) > 2 * MIB
    assert (found[BUSY].disk_read, found[BUSY].disk_write, found[LIMITED].disk_write) == (0, 0, 0)


def test_a_controller_that_is_not_delegated_is_unknown(machine: CapturedMachine) -> None:
    rootless = usage(machine)[ROOTLESS]
    assert machine.value(f"{PATHS[ROOTLESS]}/cgroup.controllers") == "memory pids"
    assert (rootless.disk_read, rootless.disk_write, rootless.cpu_limit) == (None, None, None)
    assert rootless.cpu is not None
    assert rootless.memory is not None


def test_the_first_reading_has_levels_and_no_rates(machine: CapturedMachine) -> None:
    sampling = sampler(machine)
    for found in sampling.sample(PATHS).values():
        assert (found.cpu, found.disk_read, found.disk_write) == (None, None, None)
        assert found.memory is not None
        assert found.pids is not None
    sampling.close()
