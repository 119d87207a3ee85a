"""What libvirt's texts say of a domain and of where it is, without a daemon."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from backends.libvirt import firmware, osinfo, uris
from backends.libvirt.clone_xml import cloned
from backends.libvirt.domains import definition, vm
from backends.libvirt.errors import connect_error

UEFI = """<domain type="kvm"><name>win</name><uuid>8ade7cf9-7551-44a8-91ca-48d42228c7d8</uuid>
<os firmware="efi"><type arch="x86_64">hvm</type></os>
<devices><tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm></devices></domain>"""


@pytest.mark.parametrize(
    ("uri", "quiet"),
    [
        ("qemu+ssh://me@far/system", "qemu+ssh://me@far/system?no_tty=1"),
        ("qemu+ssh://far/system?socket=/a", "qemu+ssh://far/system?socket=/a&no_tty=1"),
        ("qemu+ssh://far/system?no_tty=0", "qemu+ssh://far/system?no_tty=1"),
        ("qemu+unix:///system?socket=/a", "qemu+unix:///system?socket=/a"),
        ("test:///default", "test:///default"),
    ],
)
def test_ssh_never_asks_on_the_terminal(uri: str, quiet: str) -> None:
    assert uris.quiet(uri) == quiet
    assert uris.shown(quiet) == uri.partition("?no_tty")[0]


def test_only_a_daemon_of_this_machine_shares_its_paths() -> None:
    own = socket.gethostname()
    assert uris.is_here("qemu:///system", own)
    assert uris.is_here("qemu+unix:///session?socket=/run/a", f"{own.partition('.')[0]}.example.org")
    # a socket forwarded from elsewhere, or of a daemon in a container
    assert not uris.is_here("qemu+unix:///system?socket=/tmp/forwarded", f"not-{own}")
    for uri in ("qemu+ssh://localhost/system", "qemu+tls://far/system", "test:///default", "xen:///system"):
        assert not uris.is_here(uri, own)
    assert uris.is_session("qemu+ssh://far/session?a=b") and not uris.is_session("qemu+ssh://session/system")


@pytest.mark.parametrize(
    ("said", "reason", "remedy"),
    [
        ("Host key verification failed.: Connection reset by peer", "is not known here", "ssh -p 22 me@far"),
        ("@@@ REMOTE HOST IDENTIFICATION HAS CHANGED! @@@", "another machine", "ssh-keygen -R '[far]:22'"),
        ("me@far: Permission denied (publickey).: Connection reset by peer", "refused", "ssh-add"),
        ("End of file: sh: 1: nc: not found: Input/output error", "no libvirt", "install libvirt on far"),
        ("Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file", "no libvirt daemon", "there"),
    ],
)
def test_what_ssh_says_is_a_line_with_what_to_do(said: str, reason: str, remedy: str) -> None:
    error = connect_error(RuntimeError(f"Cannot recv data: {said}"), "qemu+ssh://me@far:22/system")
    assert reason in error.reason and remedy in error.remedy
    assert "\n" not in error.reason


def test_a_firmware_that_libvirt_chose_is_known_by_its_variables() -> None:
    found = definition(UEFI)
    assert (found.efi, found.tpm, found.nvram) == (True, True, "")
    assert definition(UEFI.replace(' firmware="efi"', "")).efi is False
    told = '<os><loader type="pflash">/c.fd</loader><nvram>/v.fd</nvram>'
    own = definition(UEFI.replace('<os firmware="efi">', told))
    assert (own.efi, own.nvram) == (True, "/v.fd")

    class Here:
        uri = "qemu:///system"

        def is_local(self) -> bool:
            return True

    assert firmware.variables(Here(), own) == "/v.fd"  # type: ignore[arg-type]
    assert firmware.variables(Here(), found) == "/var/lib/libvirt/qemu/nvram/win_VARS.fd"  # type: ignore[arg-type]
    copied = cloned(UEFI, "copy", "1c0d5e7e-0000-4000-8000-000000000000", {}, keep_macs=False, nvram="/copy_VARS.fd")
    assert definition(copied).nvram == "/copy_VARS.fd"
    assert definition(cloned(UEFI, "copy", "1", {}, keep_macs=False)).nvram == ""


def test_one_without_a_definition_is_transient() -> None:
    facts = {"state": 1, "persistent": False, "snapshots": 0, "started": None}
    assert vm("libvirt", "id", definition(UEFI), facts).transient
    assert not vm("libvirt", "id", definition(UEFI), {**facts, "persistent": True}).transient


def test_guests_get_the_devices_they_know_and_are_listed_newest_first(tmp_path: Path) -> None:
    def system(name: str, family: str, year: str, more: str = "") -> str:
        return (
            f'<os id="http://example.org/{name}"><name>{name}</name><family>{family}</family>'
            f"<release-date>{year}-01-01</release-date>{more}</os>"
        )

    disk = '<devices><device id="http://pcisig.com/pci/1af4/1001"/></devices>'
    above = '<derives-from id="http://example.org/BSD 9"/>'
    texts = [
        system("Linux 9", "linux", "1999"),
        system("Linux 10", "linux", "2020"),
        system("DOS", "msdos", "1994"),
        system("BSD 9", "freebsd", "2015", disk),
        system("BSD 11", "freebsd", "2019", above),
    ]
    (tmp_path / "all.xml").write_text(f"<libosinfo>{''.join(texts)}</libosinfo>")
    names = [kind.name for kind in osinfo.os_types((tmp_path,))][1:-1]
    assert names == ["BSD 11", "BSD 9", "DOS", "Linux 10", "Linux 9"]
    known = {name for name in names if osinfo.knows_virtio(f"http://example.org/{name}")}
    assert known == {"BSD 9", "BSD 11", "Linux 10"}
    assert osinfo.knows_virtio("http://libosinfo.org/linux/2022")
