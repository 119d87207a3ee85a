"""Network adapters in `showvminfo --machinereadable`, and the options of VBoxManage 7.2 that change them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backends.abilities.editing import Adapter, Forward, Settings
from backends.base import ActionError
from backends.virtualbox.hosting import adapter

_MODES = {
    "bridged": ("bridge", "bridgeadapter"),
    "hostonly": ("hostonly", "hostonlyadapter"),
    "natnetwork": ("natnet", "nat-network"),
    "intnet": ("intnet", "intnet"),
}
_NO_NAT = "ports are forwarded by an adapter behind NAT only"


def adapters(info: Mapping[str, str]) -> tuple[Adapter, ...]:
    return tuple(found for slot in slots(info) if (found := _adapter(info, slot)) is not None)


def slots(info: Mapping[str, str]) -> list[int]:
    """The numbers of all adapters its chipset can have: 8, or 36 of ICH9."""
    return sorted(int(key[3:]) for key in info if re.fullmatch(r"nic\d+", key))


def full(info: Mapping[str, str]) -> str:
    """Why no more can be added; empty when one can."""
    known = slots(info)
    free = not known or any(info[f"nic{slot}"] == "none" for slot in known)
    return "" if free else f"its chipset has {len(known)}, all in use"


def _adapter(info: Mapping[str, str], slot: int) -> Adapter | None:
    mode = info[f"nic{slot}"]
    if mode == "none":
        return None
    network = "none" if mode == "null" else mode
    if mode in _MODES:
        prefix, key = _MODES[mode]
        network = f"{prefix}:{info.get(f'{key}{slot}', '')}"
    mac = info.get(f"macaddress{slot}", "")
    link = info.get(f"cableconnected{slot}", "on") == "on"
    shown = ":".join(mac[at : at + 2] for at in range(0, len(mac), 2)).lower()
    no_forwards = "" if mode == "nat" else _NO_NAT
    return Adapter(str(slot), network, shown, link, info.get(f"nictype{slot}", ""), no_forwards)


def attached(network: str, slot: int) -> tuple[str, ...]:
    """The options of modifyvm that put an adapter into a network; `none` leaves it there, in none."""
    return (f"--nic{slot}=null",) if network == "none" else adapter(network, slot)


def added(info: Mapping[str, str], wanted: Adapter) -> tuple[str, ...]:
    """The options of modifyvm for one more, in the first free place. Raises ActionError when there is none."""
    if reason := full(info):
        raise ActionError(reason)
    slot = next((slot for slot in slots(info) if info[f"nic{slot}"] == "none"), 1)
    return (
        *attached(wanted.network, slot),
        f"--mac-address{slot}={wanted.mac.replace(':', '') or 'auto'}",
        f"--cable-connected{slot}={'on' if wanted.link else 'off'}",
    )


def removed(settings: Settings, gone: Adapter) -> tuple[str, ...]:
    """The options of modifyvm that take it away with its MAC and its rules: VirtualBox would keep them in its place."""
    slot = gone.id
    rules = [one for one in settings.forwards if one.adapter == slot]
    words = [word for rule in rules for word in (f"--natpf{slot}", "delete", rule.name)]
    return (*words, f"--nic{slot}=none", f"--mac-address{slot}=auto", f"--cable-connected{slot}=on")


def forwards(lines: list[tuple[str, str]]) -> tuple[Forward, ...]:
    """Of (key, value): VBoxManage lists the rules of each adapter behind it, all counted from 0."""
    found = []
    slot = "1"
    for key, value in lines:
        if match := re.fullmatch(r"natnet(\d+)", key):
            slot = match[1]
        elif re.fullmatch(r"Forwarding\(\d+\)", key):
            words = value.split(",")
            if len(words) == 6 and words[3].isdigit() and words[5].isdigit():
                name, protocol, host, guest = words[0], words[1], words[2], words[4]
                found.append(Forward(name, protocol, host, int(words[3]), guest, int(words[5]), slot))
    return tuple(found)
