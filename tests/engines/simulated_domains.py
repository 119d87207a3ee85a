"""Many domains of libvirt's own simulation, which needs no daemon: an address of them for boxtop."""

from __future__ import annotations

from pathlib import Path

_STATE = '<test:runstate xmlns:test="http://libvirt.org/schemas/domain/test/1.0">{}</test:runstate>'
_RUNNING, _OFF = 1, 5


def write(path: Path, count: int, *, off: int = 0) -> str:
    """Domains dom-001 to dom-`count`, the last `off` of them off, in a file of `path`; the address of that engine."""
    domains = []
    for number in range(1, count + 1):
        running = number <= count - off
        domains.append(
            f'<domain type="test"><name>dom-{number:03}</name>'
            f"<uuid>6695eb01-f6a4-8304-79aa-97f2502e{number:04x}</uuid>"
            f"<memory>1048576</memory><vcpu>2</vcpu><os><type>hvm</type></os>"
            f'<devices><disk type="file" device="disk"><source file="/guests/{number}.img"/><target dev="vda"/></disk>'
            f'<interface type="network"><source network="default"/></interface></devices>'
            f"{_STATE.format(_RUNNING if running else _OFF)}</domain>"
        )
    cpu = (
        "<cpu><mhz>6000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>1</sockets>"
        "<cores>8</cores><threads>1</threads></cpu>"
    )
    network = (
        '<network><name>default</name><bridge name="virbr0"/>'
        '<ip address="192.168.122.1" netmask="255.255.255.0"/></network>'
    )
    path.write_text(f"<node>{cpu}<memory>268435456</memory>{''.join(domains)}{network}</node>")
    return f"test://{path}"
