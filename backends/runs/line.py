"""A run as a `docker run` line, and such a line read back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from backends.runs import entries, sizes
from backends.runs.options import MORE, Body, apply_more
from backends.runs.spec import RunSpec

_FLAGS = {
    "interactive": "interactive", "i": "interactive", "tty": "tty", "t": "tty", "rm": "remove",
}  # fmt: skip
_TEXTS = {
    "name": "name", "network": "network", "net": "network", "restart": "restart", "user": "user", "u": "user",
    "workdir": "workdir", "w": "workdir", "hostname": "hostname", "h": "hostname", "entrypoint": "entrypoint",
    "cpus": "cpus", "memory": "memory", "m": "memory",
}  # fmt: skip
_LISTS = {
    "publish": "ports", "p": "ports", "env": "environment", "e": "environment", "volume": "volumes", "v": "volumes",
    "label": "labels", "l": "labels",
}  # fmt: skip
_SHORT = {"P": "publish-all", "c": "cpu-shares"}
_ASIDE_FLAGS = {"detach", "d", "quiet", "q", "sig-proxy", "disable-content-trust"}
"""About the CLI itself: boxtop always runs in the background."""
_ASIDE_TEXTS = {"attach", "a", "detach-keys", "pull"}
_REFUSED = {
    "env-file": "put the file's lines into the environment",
    "label-file": "put the file's lines into the labels",
    "cidfile": "boxtop shows the id instead",
}
_TRUE, _FALSE = {"true", "1", "t", "T", "TRUE", "True"}, {"false", "0", "f", "F", "FALSE", "False"}
_NO_QUOTES = re.compile(r"[\w@%+=:,./-]+")


class LineError(ValueError):
    """Why a line cannot be read, in words for who pasted it."""


def line_of(spec: RunSpec, program: str = "docker") -> str:
    """The equivalent line, quoted for a shell."""
    words = [program, "run" if spec.start else "create"]
    short = ("d" if spec.start else "") + ("i" if spec.interactive else "") + ("t" if spec.tty else "")
    words += [f"-{short}"] if short else []
    words += ["--rm"] if spec.remove else []
    words += _texts("--name", spec.name)
    words += _many("-p", spec.ports) + _many("-e", spec.environment) + _many("-v", spec.volumes)
    words += _texts("--network", spec.network)
    words += _texts("--restart", "" if spec.restart == "no" else spec.restart)
    words += _texts("--cpus", "" if spec.cpus is None else sizes.write_cpus(spec.cpus))
    words += _texts("--memory", "" if spec.memory is None else sizes.write_size(spec.memory))
    words += _many("-l", spec.labels)
    words += _texts("--user", spec.user) + _texts("--workdir", spec.workdir) + _texts("--hostname", spec.hostname)
    words += spec.more
    words += [f"--entrypoint={spec.entrypoint[0]}"] if spec.entrypoint else []
    words += [spec.image or "IMAGE", *spec.entrypoint[1:], *spec.command]
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    return word if _NO_QUOTES.fullmatch(word) else shlex.quote(word)


def _texts(option: str, value: str) -> list[str]:
    if value.startswith("-"):
        return [f"{option}={value}"]
    return [option, value] if value else []


def _many(option: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, value)]


def read_line(text: str) -> RunSpec:
    """What a `docker run`, `docker create` or `podman run` line says. Raises LineError."""
    words = _words(text)
    spec = RunSpec(start=_verb(words) == "run")
    found = _Found()
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, separator, value = word[2:].partition("=")
            found.take(name, value if separator else None, words, f"--{name}")
        else:
            _short(word, words, found)
    if not words:
        raise LineError("the line names no image")
    texts = dict(found.texts)
    entrypoint = texts.pop("entrypoint", None)
    spec = replace(
        spec,
        image=words[0],
        command=tuple(words[1:]),
        entrypoint=() if entrypoint is None else (entrypoint,),
        more=tuple(found.more),
        **found.flags,  # type: ignore[arg-type]
    )
    try:
        apply_more(spec.more, Body())
        cpus, memory = texts.pop("cpus", ""), texts.pop("memory", "")
        spec = replace(
            spec,
            **texts,  # type: ignore[arg-type]
            **{key: tuple(values) for key, values in found.lists.items()},  # type: ignore[arg-type]
            cpus=sizes.read_cpus(cpus) if cpus else None,
            memory=sizes.read_memory(memory) if memory else None,
        )
        check(spec)
    except LineError:
        raise
    except ValueError as error:
        raise LineError(str(error)) from None
    return spec


def read_more(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Other options as typed (`--cap-add NET_ADMIN`) in the form that RunSpec keeps. Raises LineError."""
    found = _Found(only_more=True)
    for line in lines:
        words = _words(line)
        while words:
            word = words.pop(0)
            if not word.startswith("-"):
                raise LineError(f"{word[:40]} is no option: options begin with --")
            name, separator, value = word.lstrip("-").partition("=")
            found.take(name, value if separator else None, words, word.partition("=")[0])
    more = tuple(found.more)
    try:
        apply_more(more, Body())
    except ValueError as error:
        raise LineError(str(error)) from None
    return more


def check(spec: RunSpec) -> None:
    """Raise ValueError for the first entry that is ill-formed."""
    entries.check_name(spec.name)
    for port in spec.ports:
        entries.read_ports(port)
    for volume in spec.volumes:
        entries.read_volume(volume)
    for variable in spec.environment:
        entries.check_variable(variable)
    for label in spec.labels:
        entries.read_label(label)
    entries.read_restart(spec.restart)


@dataclass(slots=True)
class _Found:
    """Options gathered from words."""

    only_more: bool = False
    flags: dict[str, bool] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)

    def take(self, name: str, value: str | None, rest: list[str], shown: str) -> None:
        """One option; its value is the next word where it has none of its own."""
        name = _SHORT.get(name, name)
        if name in _REFUSED:
            raise LineError(f"{shown} is not read: {_REFUSED[name]}")
        if name in MORE:
            self._take_more(name, value, rest, shown)
        elif self.only_more:
            raise LineError(f"{shown}: that has a field of its own, or is not known")
        elif name in _FLAGS or name in _ASIDE_FLAGS:
            chosen = _bool(value, shown)
            if name in _FLAGS:
                self.flags[_FLAGS[name]] = chosen
        elif name in _ASIDE_TEXTS:
            _value(value, rest, shown)
        elif name in _LISTS:
            self.lists.setdefault(_LISTS[name], []).append(_value(value, rest, shown))
        elif name == "mount":
            self._take_mount(_value(value, rest, shown))
        elif name in _TEXTS:
            key = _TEXTS[name]
            if key == "network" and key in self.texts:
                raise LineError("two networks: boxtop runs in one, connect it to others afterwards")
            self.texts[key] = _value(value, rest, shown)
        else:
            raise LineError(f"{shown} is not known here: leave it out, or run the line in a shell")

    def _take_more(self, name: str, value: str | None, rest: list[str], shown: str) -> None:
        option = MORE[name]
        if option.flag:
            if _bool(value, shown):
                self.more.append(f"--{name}")
            return
        text = _value(value, rest, shown)
        if not option.many:
            self.more = [entry for entry in self.more if not entry.startswith(f"--{name}=")]
        self.more.append(f"--{name}={text}")

    def _take_mount(self, text: str) -> None:
        """`--mount` as the `-v` or `--tmpfs` that does the same."""
        parts = dict(part.partition("=")[::2] for part in text.split(","))
        kind = parts.pop("type", "volume")
        target = parts.pop("target", "") or parts.pop("dst", "") or parts.pop("destination", "")
        source = parts.pop("source", "") or parts.pop("src", "")
        read_only = any(parts.pop(name, "no") in {"", *_TRUE} for name in ("readonly", "ro"))
        if not target or kind not in {"bind", "volume", "tmpfs"} or parts or (kind == "tmpfs" and source):
            raise LineError(f"--mount {text[:60]} is not read: write it as -v or --tmpfs")
        if kind == "tmpfs":
            self.more.append(f"--tmpfs={target}")
            return
        entry = f"{source}:{target}" if source else target
        self.lists.setdefault("volumes", []).append(f"{entry}:ro" if read_only else entry)


def _value(value: str | None, rest: list[str], shown: str) -> str:
    if value is not None:
        return value
    if not rest:
        raise LineError(f"{shown} wants a value behind it")
    return rest.pop(0)


def _bool(value: str | None, shown: str) -> bool:
    if value is None or value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise LineError(f"{shown}={value[:20]}: true or false")


def _short(word: str, rest: list[str], found: _Found) -> None:
    """One word of short options: `-it`, `-p80:80`, `-dp 80:80`."""
    letters = word[1:]
    for at, letter in enumerate(letters):
        behind = letters[at + 1 :]
        if letter in _FLAGS or letter in _ASIDE_FLAGS or letter == "P":
            if behind.startswith("="):
                found.take(letter, behind[1:], rest, f"-{letter}")
                return
            found.take(letter, None, rest, f"-{letter}")
            continue
        if letter not in _TEXTS and letter not in _LISTS and letter not in _ASIDE_TEXTS and letter not in _SHORT:
            raise LineError(f"-{letter} is not known here: leave it out, or run the line in a shell")
        found.take(letter, behind.removeprefix("=") if behind else None, rest, f"-{letter}")
        return


def _words(text: str) -> list[str]:
    text = text.replace("\\\r\n", " ").replace("\\\n", " ").strip()
    text = " ".join(text.splitlines())
    special = next(_shell_words(text), "")
    if special:
        raise LineError(special)
    try:
        return shlex.split(text)
    except ValueError:
        raise LineError("a quote is not closed") from None


def _shell_words(text: str) -> Iterator[str]:
    """What in the text only a shell could do, in words."""
    quote = ""
    before = " "
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            at += 2
            before = "x"
            continue
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"':
                yield from _expansion(text, at)
        elif char in "'\"":
            quote = char
        elif char in "|;&<>":
            yield f"the line goes on behind {char}: that is for a shell"
        elif char == "~" and before in " =:":
            yield "~ is for a shell: write the whole path"
        else:
            yield from _expansion(text, at)
        before = char
        at += 1


def _expansion(text: str, at: int) -> Iterator[str]:
    if text[at] == "`":
        yield "` is for a shell: write what comes of it"
    if text[at] == "$" and (match := re.match(r"\$(?:\w+|\{[^}]*\}?|\([^)]*\)?)", text[at:])):
        yield f"{match.group()[:40]} is for a shell: write its value"


def _verb(words: list[str]) -> str:
    """Take the program and its subcommand off the front."""
    while words and words[0] in {"$", "#", "sudo"}:
        words.pop(0)
    if not words or words.pop(0).rpartition("/")[2] not in {"docker", "podman", "nerdctl"}:
        raise LineError("a line begins with docker run, docker create or podman run")
    if words and words[0] == "container":
        words.pop(0)
    if not words or words[0] not in {"run", "create"}:
        raise LineError("only run and create can be read, without options of docker itself before them")
    return words.pop(0)
