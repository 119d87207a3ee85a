"""A run as the engine's settings: Docker Engine API 1.41, `POST /containers/create`."""

from __future__ import annotations

from typing import Any

from backends.runs import entries
from backends.runs.options import Body, apply_more
from backends.runs.spec import RunSpec


def body_of(spec: RunSpec) -> Body:
    """Everything the spec says. Raises ValueError for what is ill-formed."""
    body = Body(config={"Image": spec.image})
    config, host = body.config, body.host
    put_command(config, spec)
    put_ports(config, host, spec.ports)
    put_volumes(config, host, spec.volumes)
    if spec.environment:
        config["Env"] = list(spec.environment)
    if spec.labels:
        config["Labels"] = dict(entries.read_label(entry) for entry in spec.labels)
    for key, value in (("User", spec.user), ("WorkingDir", spec.workdir), ("Hostname", spec.hostname)):
        if value:
            config[key] = value
    config["OpenStdin"], config["Tty"] = spec.interactive, spec.tty
    host["NetworkMode"] = spec.network or "default"
    host["AutoRemove"] = spec.remove
    host["RestartPolicy"] = restart_of(spec.restart)
    put_limits(host, spec)
    apply_more(spec.more, body)
    return body


def put_command(config: dict[str, Any], spec: RunSpec) -> None:
    if spec.command:
        config["Cmd"] = list(spec.command)
    if spec.entrypoint:
        config["Entrypoint"] = list(spec.entrypoint)


def put_ports(config: dict[str, Any], host: dict[str, Any], ports: tuple[str, ...]) -> None:
    bindings: dict[str, list[dict[str, str]]] = {}
    exposed: dict[str, Any] = dict(config.get("ExposedPorts") or {})
    for entry in ports:
        for port in entries.read_ports(entry):
            key = f"{port.port}/{port.protocol}"
            exposed[key] = {}
            bindings.setdefault(key, []).append({"HostIp": port.host_ip, "HostPort": port.host_port})
    host["PortBindings"] = bindings
    if exposed:
        config["ExposedPorts"] = exposed


def put_volumes(config: dict[str, Any], host: dict[str, Any], volumes: tuple[str, ...]) -> None:
    binds: list[str] = []
    anonymous: dict[str, Any] = {}
    for entry in volumes:
        volume = entries.read_volume(entry)
        if volume.source:
            binds.append(entry)
        else:
            anonymous[volume.target] = {}
    if binds:
        host["Binds"] = binds
    if anonymous:
        config["Volumes"] = {**(config.get("Volumes") or {}), **anonymous}


def put_limits(host: dict[str, Any], spec: RunSpec) -> None:
    if spec.cpus is not None:
        host["NanoCpus"] = round(spec.cpus * 10**9)
    if spec.memory is not None:
        host["Memory"] = spec.memory


def restart_of(policy: str) -> dict[str, Any]:
    name, retries = entries.read_restart(policy)
    return {"Name": name, "MaximumRetryCount": retries}
