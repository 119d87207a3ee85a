"""What `boxtop ls` prints of volumes and networks. Pure; the JSON's fields are documented in docs/json.md."""

from __future__ import annotations

from typing import Any

from backends.model import Container, Network, Volume, network_users, volume_users
from backends.secrets import mask_pairs
from tui import formats
from tui.gather import Gathered
from tui.selection import short_id


def volume_rows(found: Gathered) -> list[tuple[str, ...]]:
    users = volume_users(_containers(found))
    rows: list[tuple[str, ...]] = [("VOLUME", "DRIVER", "SCOPE", "CREATED", "USED BY", "ENGINE")]
    for item in sorted(_volumes(found), key=lambda item: (item.name, item.ref.engine)):
        used = str(len(users.get((item.ref.engine, item.name), ())))
        rows.append((item.name, item.driver, item.scope, _since(found, item.created), used, item.ref.engine))
    return rows


def network_rows(found: Gathered) -> list[tuple[str, ...]]:
    users = network_users(_containers(found))
    rows: list[tuple[str, ...]] = [("NETWORK", "DRIVER", "SCOPE", "SUBNETS", "CREATED", "USED BY", "ENGINE", "ID")]
    rows += [
        (
            item.name,
            item.driver,
            item.scope,
            " ".join(subnet.subnet for subnet in item.subnets),
            _since(found, item.created),
            str(len(users.get((item.ref.engine, item.name), ()))),
            item.ref.engine,
            short_id(item.ref.id),
        )
        for item in sorted(_networks(found), key=lambda item: (item.name, item.ref.engine))
    ]
    return rows


def volumes_json(found: Gathered) -> list[dict[str, Any]]:
    users = volume_users(_containers(found))
    return [
        {
            "engine": item.ref.engine,
            "name": item.name,
            "driver": item.driver,
            "scope": item.scope or None,
            "mountpoint": item.mountpoint or None,
            "created": _time(item.created),
            "anonymous": item.anonymous,
            "labels": dict(mask_pairs(item.labels)),
            "options": dict(mask_pairs(item.options)),
            "used_by": list(users.get((item.ref.engine, item.name), ())),
        }
        for item in _volumes(found)
    ]


def networks_json(found: Gathered) -> list[dict[str, Any]]:
    users = network_users(_containers(found))
    return [
        {
            "engine": item.ref.engine,
            "id": item.ref.id,
            "name": item.name,
            "driver": item.driver,
            "scope": item.scope or None,
            "created": _time(item.created),
            "subnets": [{"subnet": one.subnet, "gateway": one.gateway or None} for one in item.subnets],
            "internal": item.internal,
            "attachable": item.attachable,
            "builtin": item.builtin,
            "labels": dict(mask_pairs(item.labels)),
            "options": dict(mask_pairs(item.options)),
            "containers": [
                {"name": name, "address": address or None}
                for name, address in users.get((item.ref.engine, item.name), ())
            ],
        }
        for item in _networks(found)
    ]


def _containers(found: Gathered) -> list[Container]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.containers]


def _volumes(found: Gathered) -> list[Volume]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.volumes or ()]


def _networks(found: Gathered) -> list[Network]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.networks or ()]


def _since(found: Gathered, unix: float | None) -> str:
    return formats.age(found.time - unix) if unix is not None else ""


def _time(unix: float | None) -> str | None:
    text = formats.timestamp(unix)
    return None if text == formats.UNKNOWN else text
