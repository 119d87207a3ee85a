"""The form of a container's settings: its fields, what is wrong with them, what they mean. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from backends import references
from backends.runs import entries, sizes
from backends.runs.line import read_more
from backends.runs.spec import RunSpec
from widgets.fields import ChoiceField, Field, LinesField, TextField, ToggleField, Value, Values

_T = TypeVar("_T")
_RESTARTS: tuple[tuple[str, str], ...] = (
    ("no", "never"),
    ("unless-stopped", "unless it was stopped"),
    ("always", "always"),
    ("on-failure", "on failure"),
    ("on-failure:3", "on failure, 3 times at most"),
)
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


def fields_of(spec: RunSpec, *, anew: bool = False) -> tuple[Field, ...]:
    """Filled in with the spec. `anew`: for an existing container, whose name stays and which is no other's to end."""
    restarts = _RESTARTS
    if spec.restart not in dict(restarts):
        restarts = (*restarts, (spec.restart, spec.restart.replace("on-failure:", "on failure, ") + " times at most"))
    shown: list[Field] = [
        TextField("image", "Image", spec.image, "nginx:1.27", "name:tag; one that is not here is offered to be pulled"),
        TextField("name", "Name", spec.name, "made up by the engine", "Letters, digits, _ . and -"),
        TextField("command", "Command", shlex.join(spec.command), "the image's own", "Quoted as for a shell"),
        LinesField("ports", "Ports", spec.ports, "8080:80", "[ADDRESS:]HOST:CONTAINER[/udp], one a line"),
        LinesField("environment", "Environment", spec.environment, "KEY=value", "KEY=value, one a line"),
        LinesField(
            "volumes",
            "Volumes",
            spec.volumes,
            "/srv/data:/data",
            "/host/path:/path, volume:/path, or /path for a volume without a name; :ro behind; one a line",
        ),
        TextField("network", "Network", spec.network, "bridge", "A network's name, host, none or container:NAME"),
        ChoiceField("restart", "Restart", restarts, spec.restart, "When the engine starts it again by itself"),
        TextField("cpus", "CPU limit", _cpus(spec), "none", "Cores, such as 0.5"),
        TextField("memory", "Memory limit", _memory(spec), "none", "Such as 512m or 2g"),
        LinesField("labels", "Labels", spec.labels, "key=value", "key=value, one a line"),
        TextField("user", "User", spec.user, "the image's own", "Name or id, with :group if need be"),
        TextField("workdir", "Folder", spec.workdir, "the image's own", "The working folder, from /"),
        TextField("hostname", "Host name", spec.hostname, "the container's id"),
        TextField("entrypoint", "Entrypoint", shlex.join(spec.entrypoint), "the image's own", 'Quoted; "" for none'),
        ToggleField("interactive", "Keep input open", spec.interactive, "As docker run -i: one can attach and type"),
        ToggleField("tty", "Terminal", spec.tty, "As docker run -t: its output is that of a terminal"),
        LinesField(
            "more", "Other options", spec.more, "--cap-add NET_ADMIN", "Other options of docker run, one a line"
        ),
        ToggleField("remove", "Remove on exit", spec.remove, "With its volumes without a name, as soon as it ends"),
        ToggleField("start", "Start it", spec.start, "Or only create it"),
    ]
    left_out = {"name", "remove", "start"} if anew else set()
    return tuple(field for field in shown if field.id not in left_out)


def values_of(spec: RunSpec) -> dict[str, Value]:
    """What the fields of a form hold for this spec."""
    return {field.id: field.value for field in fields_of(spec)}


def read(values: Values, base: RunSpec | None = None) -> tuple[RunSpec, dict[str, str]]:
    """The spec, and what is wrong by field id; what is wrong is left out. `base` has what the form does not ask."""
    problems: dict[str, str] = {}

    def text(name: str) -> str:
        return str(values.get(name, ""))

    def lines(name: str) -> tuple[str, ...]:
        value = values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def tried(name: str, work: Callable[[], _T], fallback: _T) -> _T:
        try:
            return work()
        except ValueError as error:
            problems[name] = str(error)
            return fallback

    spec = replace(
        base or RunSpec(),
        image=tried("image", lambda: _image(text("image")), ""),
        command=tried("command", lambda: _words(text("command")), ()),
        entrypoint=tried("entrypoint", lambda: _words(text("entrypoint")), ()),
        ports=tried("ports", lambda: _each(lines("ports"), entries.read_ports), ()),
        environment=tried("environment", lambda: _variables(lines("environment")), ()),
        volumes=tried("volumes", lambda: _volumes(lines("volumes")), ()),
        network=text("network"),
        restart=text("restart") or "no",
        cpus=tried("cpus", lambda: sizes.read_cpus(text("cpus")) if text("cpus") else None, None),
        memory=tried("memory", lambda: sizes.read_memory(text("memory")) if text("memory") else None, None),
        labels=tried("labels", lambda: _each(lines("labels"), entries.read_label), ()),
        user=text("user"),
        workdir=tried("workdir", lambda: _folder(text("workdir")), ""),
        hostname=text("hostname"),
        interactive=bool(values.get("interactive")),
        tty=bool(values.get("tty")),
        more=tried("more", lambda: read_more(lines("more")), ()),
    )
    if "start" in values:
        name = tried("name", lambda: _named(text("name")), "")
        spec = replace(spec, name=name, remove=bool(values["remove"]), start=bool(values["start"]))
    if spec.remove and spec.restart != "no":
        problems["remove"] = "what is started again cannot be removed on exit: choose one"
    if spec.network.startswith(("container:", "host")) and spec.ports:
        problems.setdefault("ports", f"in network {spec.network} no ports are published: they are the network's own")
    return spec, problems


def _image(text: str) -> str:
    if text.startswith(("docker ", "podman ")):
        raise ValueError("a whole line is read by Paste a line, below")
    if not _IMAGE_ID.fullmatch(text):
        references.parse(text)
    return text


def _named(name: str) -> str:
    entries.check_name(name)
    return name


def _folder(path: str) -> str:
    if path and not path.startswith("/"):
        raise ValueError("begins with /")
    return path


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        raise ValueError("a quote is not closed") from None


def _each(values: Iterable[str], check: Callable[[str], Any]) -> tuple[str, ...]:
    kept = tuple(values)
    for value in kept:
        check(value)
    return kept


def _variables(values: tuple[str, ...]) -> tuple[str, ...]:
    _each(values, entries.check_variable)
    twice = entries.twice(value.partition("=")[0] for value in values)
    if twice:
        raise ValueError(f"{twice} is there twice")
    return values


def _volumes(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = entries.twice(entries.read_volume(value).target.rstrip("/") for value in values)
    if twice:
        raise ValueError(f"two volumes at {twice}")
    return values


def _cpus(spec: RunSpec) -> str:
    return "" if spec.cpus is None else sizes.write_cpus(spec.cpus)


def _memory(spec: RunSpec) -> str:
    return "" if spec.memory is None else sizes.write_size(spec.memory)
