"""What `boxtop doctor` tells: engines, versions, the terminal, the files used, and what to do about the rest."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from backends.text import clean
from tui import config
from tui.gather import Answer, Gathered
from tui.options import Options
from tui.version import __version__

_PACKAGES = ("textual", "docker", "pyvbox", "virtualbox", "libvirt-python", "psutil")
_WIDTH = 14


def report(options: Options, found: Gathered, complaint: str) -> str:
    """The whole text. `complaint` is what is wrong with the configuration file, if anything."""
    sections = {
        "Engines": [line for answer in found.answers for line in _engine(answer)],
        "VirtualBox": list(_virtualbox(options)),
        "Versions": list(_versions()),
        "Terminal": list(_terminal()),
        "Files": list(_files(options, complaint)),
        "Host": list(_host(found)),
    }
    return "\n".join(f"{title}\n" + "".join(f"  {line}\n" for line in lines) for title, lines in sections.items())


def _line(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}"


def _engine(answer: Answer) -> Iterator[str]:
    if answer.info and answer.snapshot:
        info, snapshot = answer.info, answer.snapshot
        counts = {
            "container": len(snapshot.containers),
            "VM": len(snapshot.vms),
            "image": len(snapshot.images),
        }
        listed = ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items() if count)
        api = f" (API {info.api_version})" if info.api_version else ""
        yield _line(answer.name, f"connected: {info.product} {info.version}{api} at {info.url}")
        yield _line("", f"{listed or 'nothing in it'}; answered in {answer.seconds:.2f} s")
        for note in info.notes:
            yield _line("", f"note: {note}")
        return
    yield _line(answer.name, f"{answer.state}: looked at {answer.url}")
    if answer.error:
        yield _line("", answer.error.reason)
        if answer.error.remedy:
            yield _line("", f"what to do: {answer.error.remedy}")


def _virtualbox(options: Options) -> Iterator[str]:
    """Where a VirtualBox and the interpreters for its binding are looked for, in the order they are tried."""
    from backends.virtualbox.interpreter import candidates, vboxmanage

    try:
        yield _line("VBoxManage", clean(shlex.join(vboxmanage())) or "not found")
        for candidate in candidates(options.engines.virtualbox_python):
            yield _line("interpreter", clean(f"{candidate.text} ({candidate.origin})"))
    except ValueError as error:
        yield _line("wrong", clean(str(error)))


def _versions() -> Iterator[str]:
    yield _line("boxtop", __version__)
    yield _line("Python", f"{platform.python_version()} ({sys.executable})")
    for package in _PACKAGES:
        try:
            yield _line(package, version(package))
        except PackageNotFoundError:
            yield _line(package, "not installed")
    yield _line("system", f"{platform.system()} {platform.release()} {platform.machine()}")


def _terminal() -> Iterator[str]:
    names = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    terminals = [name for name, stream in names.items() if stream is not None and stream.isatty()]
    missing = [name for name in names if name not in terminals]
    yield _line(
        "terminal", f"on {', '.join(terminals) or 'none'}" + (f"; not on {', '.join(missing)}" if missing else "")
    )
    if terminals:
        size = os.get_terminal_size(names[terminals[0]].fileno())
        small = "" if size.columns >= 80 and size.lines >= 24 else " (boxtop needs 80x24 to show all it has)"
        yield _line("size", f"{size.columns}x{size.lines}{small}")
    for name in ("TERM", "COLORTERM"):
        yield _line(name, clean(os.environ.get(name) or "not set"))
    yield _line("colours", _colours())
    encoding = (sys.stdout.encoding if sys.stdout is not None else None) or "unknown"
    utf8 = encoding.lower().replace("-", "") == "utf8"
    yield _line("encoding", f"{encoding}" + ("" if utf8 else ": set LANG to a UTF-8 locale, or use --ascii"))
    yield _line("NO_COLOR", "set: drawn without colours" if os.environ.get("NO_COLOR") else "not set")
    yield _line("over SSH", "yes" if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY") else "no")
    multiplexer = "tmux" if os.environ.get("TMUX") else "screen" if os.environ.get("STY") else "no"
    yield _line("in tmux", multiplexer)


def _colours() -> str:
    term = os.environ.get("TERM", "")
    if os.environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "16 million"
    if "256color" in term:
        return "256; for more set COLORTERM=truecolor where the terminal can"
    if term in {"", "dumb"}:
        return "none; boxtop needs a terminal that can move its cursor"
    return "16"


def _files(options: Options, complaint: str) -> Iterator[str]:
    if complaint:
        yield _line("configuration", f"wrong: {complaint}")
    elif options.config_file:
        yield _line("configuration", clean(str(options.config_file)))
    else:
        yield _line("configuration", f"none at {clean(str(config.default_file()))}; boxtop --print-config writes one")


def _host(found: Gathered) -> Iterator[str]:
    host = found.host
    yield _line("name", host.name)
    yield _line("cores", str(len(host.cores)))
    yield _line("cgroups", _cgroups())


def _cgroups() -> str:
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return "v2"
    if (root / "cpuacct").exists() or (root / "memory").exists():
        return "v1" + (" and v2 (hybrid)" if (root / "unified" / "cgroup.procs").exists() else "")
    return "none: live figures come from the engines"
