"""A small simulated shell: what a user types goes in as bytes, what a terminal shows comes out as bytes."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "/": ("bin", "dev", "etc", "home", "lib", "proc", "root", "srv", "tmp", "usr", "var"),
    "/etc": ("group", "hostname", "hosts", "os-release", "passwd", "resolv.conf"),
    "/srv": ("app",),
    "/srv/app": ("README.md", "config.toml", "server.log"),
    "/tmp": (),  # noqa: S108 (a simulated one)
    "/root": (),
    "/home": (),
    "/var": ("cache", "lib", "log"),
    "/var/log": ("dpkg.log",),
}
_FILES: Mapping[str, str] = {
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"',
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
    "/etc/group": "root:x:0:\nwww-data:x:33:",
    "/etc/resolv.conf": "nameserver 127.0.0.11\noptions ndots:0",
    "/srv/app/README.md": "# A simulated application\nNothing in this container is real.",
    "/srv/app/config.toml": 'listen = "0.0.0.0:8000"\nworkers = 4',
    "/srv/app/server.log": "started, listening on 0.0.0.0:8000",
    "/var/log/dpkg.log": "status installed base-files:amd64 12.4",
}
_BELL = "\a"


class SimulatedShell:
    """Line editing as a terminal has it, and a few commands. `code` is the exit status once it has ended."""

    def __init__(
        self, name: str, environment: Sequence[str], processes: Sequence[str], clock: Callable[[], float]
    ) -> None:
        """`name`: the container's host name. `processes`: command lines, its first process first."""
        self._name = name
        self._environment = [*environment, f"HOSTNAME={name}", "TERM=xterm", "HOME=/root"]
        self._processes = processes
        self._clock = clock
        self._folder = "/"
        self._typed = ""
        self._escape = ""
        self._history: list[str] = []
        self._recalled = 0
        self._status = self._before = 0
        self.code: int | None = None

    @property
    def prompt(self) -> str:
        return f"root@{self._name}:{self._folder}# "

    def feed(self, data: bytes) -> bytes:
        """What the terminal shows for these keys."""
        return "".join(self._key(char) for char in data.decode(errors="replace") if self.code is None).encode()

    def _key(self, char: str) -> str:
        if self._escape or char == "\x1b":
            return self._in_escape(char)
        match char:
            case "\r" | "\n":
                return self._enter()
            case "\x7f" | "\b":
                if not self._typed:
                    return _BELL
                self._typed = self._typed[:-1]
                return "\b \b"
            case "\x03":
                self._typed, self._status = "", 130
                return f"^C\r\n{self.prompt}"
            case "\x04":
                if self._typed:
                    return _BELL
                self.code = self._status
                return "exit\r\n"
            case "\x0c":
                return f"\x1b[2J\x1b[H{self.prompt}{self._typed}"
            case "\x15":
                return self._retype("")
        if not char.isprintable():
            return ""
        self._typed += char
        return char

    def _in_escape(self, char: str) -> str:
        """Up and down go through what was typed before; other such keys do nothing."""
        self._escape += char
        if self._escape in {"\x1b", "\x1b[", "\x1bO"} or (self._escape.startswith("\x1b[") and not char.isalpha()):
            return "" if char != "~" else self._forget_escape()
        key, self._escape = self._escape[-1], ""
        step = {"A": -1, "B": 1}.get(key, 0)
        if not step:
            return ""
        self._recalled = max(0, min(self._recalled + step, len(self._history)))
        return self._retype(self._history[self._recalled] if self._recalled < len(self._history) else "")

    def _forget_escape(self) -> str:
        self._escape = ""
        return ""

    def _retype(self, line: str) -> str:
        self._typed = line
        return f"\r\x1b[K{self.prompt}{line}"

    def _enter(self) -> str:
        line, self._typed = self._typed.strip(), ""
        if line:
            self._history.append(line)
        self._recalled = len(self._history)
        shown = self._run(line).replace("\n", "\r\n")
        return "\r\n" + (f"{shown}\r\n" if shown else "") + ("" if self.code is not None else self.prompt)

    def _run(self, line: str) -> str:
        try:
            words = shlex.split(line)
        except ValueError as error:
            self._status = 2
            return f"bash: {error}"
        if not words:
            return ""
        name, *arguments = words
        command = getattr(self, f"_do_{name}", None) if name.isalpha() else None
        if command is None:
            self._status = 127
            return f"bash: {name}: command not found (this shell is simulated: try help)"
        self._before, self._status = self._status, 0
        return str(command(arguments))

    # -- commands ----------------------------------------------------------------------------------------------

    def _do_help(self, _: Sequence[str]) -> str:
        known = sorted(name.removeprefix("_do_") for name in dir(self) if name.startswith("_do_"))
        return f"This shell is simulated. It knows: {' '.join(known)}"

    def _do_ls(self, arguments: Sequence[str]) -> str:
        paths = [word for word in arguments if not word.startswith("-")] or ["."]
        path = self._path(paths[0])
        if path in self._files:
            return paths[0]
        if not self._is_folder(path):
            return self._missing("ls: cannot access", paths[0])
        entries = _FOLDERS.get(path, ())
        if any(word.startswith("-") and "l" in word for word in arguments):
            return "\n".join(self._long(path, entry) for entry in entries)
        return "  ".join(entries)

    def _long(self, folder: str, entry: str) -> str:
        path = posixpath.join(folder, entry)
        if self._is_folder(path):
            return f"drwxr-xr-x 1 root root 4096 Jan  1 12:00 {entry}"
        return f"-rw-r--r-- 1 root root {len(self._files.get(path, '')):4} Jan  1 12:00 {entry}"

    def _do_cd(self, arguments: Sequence[str]) -> str:
        path = self._path(arguments[0] if arguments else "/root")
        if not self._is_folder(path):
            return self._missing("bash: cd:", arguments[0])
        self._folder = path
        return ""

    def _do_cat(self, arguments: Sequence[str]) -> str:
        shown = []
        for word in arguments:
            text = self._files.get(self._path(word))
            shown.append(self._missing("cat:", word) if text is None else text)
        return "\n".join(shown)

    def _do_ps(self, _: Sequence[str]) -> str:
        lines = ["    PID TTY          TIME CMD"]
        numbers = (1, *range(7, 7 + len(self._processes)))
        lines += [
            f"{number:7} ?        00:00:04 {text}" for number, text in zip(numbers, self._processes, strict=False)
        ]
        return "\n".join([*lines, "    412 pts/0    00:00:00 bash", "    430 pts/0    00:00:00 ps"])

    def _do_env(self, _: Sequence[str]) -> str:
        return "\n".join(self._environment)

    def _do_echo(self, arguments: Sequence[str]) -> str:
        values = dict(entry.partition("=")[::2] for entry in self._environment) | {"?": str(self._before)}
        return " ".join(values.get(word[1:], "") if word.startswith("$") else word for word in arguments)

    def _do_pwd(self, _: Sequence[str]) -> str:
        return self._folder

    def _do_whoami(self, _: Sequence[str]) -> str:
        return "root"

    def _do_id(self, _: Sequence[str]) -> str:
        return "uid=0(root) gid=0(root) groups=0(root)"

    def _do_hostname(self, _: Sequence[str]) -> str:
        return self._name

    def _do_uname(self, arguments: Sequence[str]) -> str:
        return f"Linux {self._name} 6.1.0-demo x86_64 GNU/Linux" if "-a" in arguments else "Linux"

    def _do_date(self, _: Sequence[str]) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%a %b %e %H:%M:%S UTC %Y")

    def _do_clear(self, _: Sequence[str]) -> str:
        return "\x1b[2J\x1b[H"

    def _do_true(self, _: Sequence[str]) -> str:
        return ""

    def _do_false(self, _: Sequence[str]) -> str:
        self._status = 1
        return ""

    def _do_exit(self, arguments: Sequence[str]) -> str:
        self.code = int(arguments[0]) % 256 if arguments and arguments[0].isdigit() else self._before
        return ""

    # -- its files ---------------------------------------------------------------------------------------------

    @property
    def _files(self) -> Mapping[str, str]:
        return {**_FILES, "/etc/hostname": self._name, "/etc/hosts": f"127.0.0.1\tlocalhost\n172.20.0.9\t{self._name}"}

    def _path(self, word: str) -> str:
        return posixpath.normpath(posixpath.join(self._folder, word))

    def _is_folder(self, path: str) -> bool:
        parent, name = posixpath.split(path)
        return path in _FOLDERS or (name in _FOLDERS.get(parent, ()) and path not in self._files)

    def _missing(self, who: str, word: str) -> str:
        self._status = 1
        return f"{who} {word}: No such file or directory"
