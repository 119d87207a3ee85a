"""The forms that make volumes and networks, and join one: fields, what is wrong with them, what they mean. Pure."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence

from backends.abilities.belongings import Drivers, NetworkSpec, Pairs, VolumeSpec
from backends.model import Network
from widgets.fields import ChoiceField, Field, LinesField, TextField, ToggleField, Values

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_NAME_WORDS = "letters, digits, _ . and -, beginning with a letter or digit"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Net = ipaddress.IPv4Network | ipaddress.IPv6Network


def volume_fields(drivers: Drivers) -> tuple[Field, ...]:
    return (
        TextField("name", "Name", placeholder="empty: the engine makes one up (anonymous)"),
        _driver(drivers.volume, "local"),
        LinesField("options", "Driver options", placeholder="type=nfs", help="key=value, one a line"),
        LinesField("labels", "Labels", placeholder="team=shop", help="key=value, one a line"),
    )


def volume_check(taken: Collection[str]) -> Callable[[Values], Mapping[str, str]]:
    """`taken`: names of the engine's volumes."""

    def check(values: Values) -> Mapping[str, str]:
        wrong = _pairs_wrong(values)
        name = str(values["name"])
        if name:
            problem = _name_wrong(name, taken, "volume")
            if len(name) == 1:
                problem = "at least two characters"
            if problem:
                wrong["name"] = problem
        return wrong

    return check


def volume_spec(values: Values) -> VolumeSpec:
    return VolumeSpec(
        str(values["name"]), str(values["driver"]), pairs(values.get("options")), pairs(values.get("labels"))
    )


def volume_line(values: Values) -> str:
    """The same as a command of the docker CLI."""
    spec = volume_spec(values)
    words = ["docker", "volume", "create"]
    words += ["--driver", spec.driver] if spec.driver != "local" else []
    words += [word for pair in spec.options for word in ("--opt", "=".join(pair))]
    words += [word for pair in spec.labels for word in ("--label", "=".join(pair))]
    return shlex.join([*words, *([spec.name] if spec.name else [])])


def network_fields(drivers: Drivers) -> tuple[Field, ...]:
    return (
        TextField("name", "Name"),
        _driver(drivers.network, "bridge"),
        TextField("subnet", "Subnet", placeholder="172.30.0.0/24; empty: the engine takes a free one"),
        TextField("gateway", "Gateway", placeholder="172.30.0.1; empty: the first address"),
        TextField("range", "Address range", placeholder="172.30.0.128/25; empty: the whole subnet"),
        ToggleField("internal", "Internal", help="no way out of it"),
        ToggleField("attachable", "Attachable", help="swarm: single containers may join"),
        LinesField("options", "Driver options", placeholder="com.docker.network.driver.mtu=1450"),
        LinesField("labels", "Labels", placeholder="team=shop", help="key=value, one a line"),
    )


def network_check(networks: Sequence[Network]) -> Callable[[Values], Mapping[str, str]]:
    """`networks`: those of the engine."""

    def check(values: Values) -> Mapping[str, str]:
        wrong = _pairs_wrong(values)
        name = str(values["name"])
        problem = _name_wrong(name, {network.name for network in networks}, "network") if name else "a name is needed"
        if problem:
            wrong["name"] = problem
        return wrong | _addresses_wrong(values, networks)

    return check


def network_spec(values: Values) -> NetworkSpec:
    subnet = str(values["subnet"])
    return NetworkSpec(
        name=str(values["name"]),
        driver=str(values["driver"]),
        subnet=subnet,
        gateway=str(values["gateway"]),
        range=str(values["range"]),
        internal=bool(values["internal"]),
        attachable=bool(values["attachable"]),
        ipv6=":" in subnet,
        options=pairs(values.get("options")),
        labels=pairs(values.get("labels")),
    )


def network_line(values: Values) -> str:
    spec = network_spec(values)
    words = ["docker", "network", "create"]
    words += ["--driver", spec.driver] if spec.driver != "bridge" else []
    for option, value in (("--subnet", spec.subnet), ("--gateway", spec.gateway), ("--ip-range", spec.range)):
        words += [option, value] if value else []
    for flag, true in (("--internal", spec.internal), ("--attachable", spec.attachable), ("--ipv6", spec.ipv6)):
        words += [flag] if true else []
    words += [word for pair in spec.options for word in ("--opt", "=".join(pair))]
    words += [word for pair in spec.labels for word in ("--label", "=".join(pair))]
    return shlex.join([*words, spec.name])


def join_fields() -> tuple[Field, ...]:
    return (
        TextField("aliases", "Aliases", placeholder="further names in this network, set apart by blanks"),
        TextField("address", "IPv4 address", placeholder="empty: the engine gives one"),
    )


def join_check(network: Network) -> Callable[[Values], Mapping[str, str]]:
    def check(values: Values) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        bad = [alias for alias in str(values["aliases"]).split() if not _NAME.fullmatch(alias)]
        if bad:
            wrong["aliases"] = f"{bad[0]}: {_NAME_WORDS}"
        text = str(values["address"])
        if text:
            address = _address(text)
            subnets = [found for subnet in network.subnets if (found := _net(subnet.subnet)) is not None]
            if address is None or address.version != 4:
                wrong["address"] = "no IPv4 address"
            elif subnets and not any(address in subnet for subnet in subnets):
                wrong["address"] = f"not in {' '.join(str(subnet) for subnet in subnets)}"
        return wrong

    return check


def pairs(lines: object) -> Pairs:
    """`key=value` lines; one without `=` has an empty value."""
    entries = lines if isinstance(lines, tuple) else ()
    return tuple((key.strip(), value.strip()) for key, _, value in (str(line).partition("=") for line in entries))


def _driver(names: Sequence[str], first: str) -> ChoiceField:
    ordered = sorted(names, key=lambda name: (name != first, name))
    return ChoiceField("driver", "Driver", tuple((name, name) for name in ordered))


def _name_wrong(name: str, taken: Collection[str], noun: str) -> str:
    if not _NAME.fullmatch(name):
        return _NAME_WORDS
    return f"there is a {noun} of this name already" if name in taken else ""


def _pairs_wrong(values: Values) -> dict[str, str]:
    wrong = {}
    for field in ("options", "labels"):
        entries = values.get(field)
        for entry in entries if isinstance(entries, tuple) else ():
            if not entry.partition("=")[0].strip():
                wrong[field] = f"{entry}: a key is missing"
            elif field == "options" and "=" not in entry:
                wrong[field] = f"{entry}: write key=value"
    return wrong


def _addresses_wrong(values: Values, networks: Sequence[Network]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    text, gateway, part = (str(values[field]) for field in ("subnet", "gateway", "range"))
    if not text:
        return {field: "needs a subnet" for field in ("gateway", "range") if values[field]}
    subnet = _net(text)
    if subnet is None:
        return {"subnet": "no subnet, such as 172.30.0.0/24"}
    for network in networks:
        for other in network.subnets:
            theirs = _net(other.subnet)
            if theirs is not None and theirs.version == subnet.version and theirs.overlaps(subnet):
                wrong["subnet"] = f"overlaps with {other.subnet} of {network.name}"
    if gateway:
        address = _address(gateway)
        if address is None or address not in subnet:
            wrong["gateway"] = f"no address in {subnet}"
    if part:
        inner = _net(part)
        if inner is None or inner.version != subnet.version or not inner.subnet_of(subnet):  # type: ignore[arg-type]
            wrong["range"] = f"no part of {subnet}"
    return wrong


def _net(text: str) -> _Net | None:
    try:
        return ipaddress.ip_network(text) if "/" in text else None
    except ValueError:
        return None


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
