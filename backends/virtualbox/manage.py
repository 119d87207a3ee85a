"""VirtualBox through its command VBoxManage: listing and lifecycle where the binding cannot be loaded.

Machines and disk images are always addressed by UUID or absolute path: a name may hold anything.
Output formats are those of VBoxManage 7.2.22.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from backends.base import ActionError, EngineError
from backends.model import Action
from backends.text import clean
from backends.virtualbox.machines import INACCESSIBLE, state_name

QUERY_TIMEOUT = 30.0
SHUTDOWN_TIMEOUT = 60.0
POLL_PERIOD = 0.3
AT_ONCE = 4
ATTEMPTS = 4
NO_ACCESS = "<inaccessible>"
_TIMEOUTS = {Action.SAVE: 1800.0, Action.DELETE: 600.0}
_LONG = 120.0
_LISTED = re.compile(r'^"(?P<name>.*)" \{(?P<id>[0-9a-f-]{36})\}$')
_PAIR = re.compile(r'^(?:"(?P<quoted>[^"]+)"|(?P<key>[^"=\s]+))=(?P<value>".*?"|[^"\n]*)$', re.MULTILINE | re.DOTALL)
# of 7: `.../IP = '10.0.2.15' @ ...`; of 6: `Name: .../IP, value: 10.0.2.15, timestamp: ...`
_TOLD = re.compile(
    r"/VirtualBox/(GuestInfo/OS/Product|GuestInfo/OS/Release|GuestAdd/Version)(?: *= '|, value: )([^'\n,]+)"
)
_FACTS = (("system", "GuestInfo/OS/Product"), ("kernel", "GuestInfo/OS/Release"), ("additions", "GuestAdd/Version"))
_ADDRESS = re.compile(r"/VirtualBox/GuestInfo/Net/(\d+)/V[46]/IP(?: *= '|, value: )([0-9a-fA-F.:]+)")
_USER = re.compile(r"\(UUID: ([0-9a-f-]{36})\)")


LOST = "VirtualBox's service VBoxSVC ended meanwhile"
_GONE = (
    "NS_ERROR_CALL_FAILED",
    "NS_ERROR_ABORT",
    "0x800706be",
    "0x80004004",
    "Failed to create a session object",
    "Failed to create the VirtualBox object",
)


class ManageError(Exception):
    """VBoxManage's own words, in one clean line."""


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """VBoxManage's words against what is done in it become an ActionError."""
    try:
        yield
    except ManageError as error:
        raise ActionError(str(error)) from None


class VBoxManage:
    """Runs VBoxManage and remembers what it said of machines that have not changed since."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._known: dict[str, dict[str, Any]] = {}
        self._turn = 0
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def command(self) -> tuple[str, ...]:
        """Its command line without arguments."""
        return self._command

    async def run(self, *arguments: str, seconds: float = QUERY_TIMEOUT) -> str:
        """What it printed. Raises ManageError with its reason, also when it does not end in time."""
        return (await self.output(*arguments, seconds=seconds)).decode("utf-8", "replace")

    async def output(self, *arguments: str, seconds: float = QUERY_TIMEOUT) -> bytes:
        """The bytes it wrote. As `run`."""
        async with self._slots:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.command,
                    *arguments,
                    stdin=DEVNULL,
                    stdout=PIPE,
                    stderr=PIPE,
                    cwd="/",
                    # Its own language settings aside, it speaks the locale's; names stay UTF-8.
                    env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"},
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise ManageError(clean(str(error))) from None
            try:
                output, errors = await asyncio.wait_for(process.communicate(), seconds)
            except TimeoutError:
                raise ManageError(f"VBoxManage did not answer within {seconds:.0f} s") from None
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
        if process.returncode:
            raise ManageError(reason_of((errors or output).decode("utf-8", "replace"), process.returncode))
        return output

    async def version(self) -> str:
        """As `7.2.22`, after a check that VBoxSVC answers."""
        version = (await self.run("--version")).strip()
        await self.run("list", "vms")
        return clean(re.split(r"[_r]", version.splitlines()[-1])[0]) if version else ""

    async def listing(self) -> dict[str, str]:
        """Names by UUID."""
        return _listing(await self.run("list", "vms"))

    async def machines(self) -> list[dict[str, Any]]:
        """Every machine, as the helper lists them. Stopped ones are asked anew when they stopped, else in turn."""
        listed = _listing(await self.run("list", "vms"))
        live = set(_listing(await self.run("list", "runningvms")))
        self._known = {machine: data for machine, data in self._known.items() if machine in listed}
        stale = {
            machine
            for machine, name in listed.items()
            if machine in live or machine not in self._known or self._known[machine]["live"]
        }
        stale |= {machine for machine, name in listed.items() if self._known.get(machine, {}).get("name") != name}
        if resting := sorted(set(listed) - stale):
            self._turn += 1
            stale.add(resting[self._turn % len(resting)])
        await asyncio.gather(*(self._refresh(machine, listed[machine], machine in live) for machine in stale))
        return [self._known[machine] for machine in listed if machine in self._known]

    async def some(self, machines: Collection[str]) -> tuple[list[dict[str, Any]], set[str]]:
        """These machines, asked anew, and the ids of those that are gone."""
        listed = _listing(await self.run("list", "vms"))
        live = set(_listing(await self.run("list", "runningvms")))
        wanted = [machine for machine in machines if machine in listed]
        await asyncio.gather(*(self._refresh(machine, listed[machine], machine in live) for machine in wanted))
        return [self._known[machine] for machine in wanted], set(machines) - set(listed)

    async def _refresh(self, machine: str, name: str, live: bool) -> None:
        reason = ""
        for _ in range(ATTEMPTS):
            try:
                self._known[machine] = _details(machine, name, await self.info(machine), live)
                return
            except ManageError as error:
                reason = str(error)
            if name == NO_ACCESS:
                self._known[machine] = _inaccessible(machine, name, reason)
                return
            # A VM that is just ending cannot be asked for a moment.
            await asyncio.sleep(POLL_PERIOD)
        self._known.setdefault(machine, _inaccessible(machine, name, reason))

    async def info(self, machine: str) -> dict[str, str]:
        """`showvminfo --machinereadable`, by its keys."""
        return _pairs(await self.run("showvminfo", machine, "--machinereadable"))

    async def guest(self, machine: str) -> tuple[list[str], tuple[tuple[str, str], ...]]:
        """What the guest additions of a running machine tell: addresses, the first card's first, and (label, value)."""
        text = await self.run("guestproperty", "enumerate", machine)
        addresses = sorted(_ADDRESS.findall(text), key=lambda pair: int(pair[0]))
        told = {key: clean(value, 120) for key, value in _TOLD.findall(text)}
        facts = tuple((label, told[key]) for label, key in _FACTS if told.get(key))
        return [address for _, address in addresses], facts

    async def state(self, machine: str) -> str:
        """The SDK's name of a machine's state."""
        return state_name((await self.info(machine)).get("VMState", ""))

    async def media(self, machine: str) -> list[dict[str, Any]]:
        """A machine's hard disk images, as the helper's `media` says them."""
        blocks = [_block(text) for text in (await self.run("list", "--long", "hdds")).split("\n\n") if text.strip()]
        images = {block["UUID"]: block for block in blocks if "UUID" in block and "Location" in block}
        users = {image: set(_USER.findall(block.get("In use by VMs", ""))) for image, block in images.items()}
        names = _listing(await self.run("list", "vms"))
        own: set[str] = set()
        for image in images:
            base: str = image if machine in users[image] else ""
            while base in images and base not in own:
                own.add(base)
                base = images[base].get("Parent UUID", "")
        children = {
            image: [child for child in images if images[child].get("Parent UUID") == image] for image in sorted(own)
        }
        answer = []
        for image, below in children.items():
            # Snapshots that use it are named in the same line, by UUIDs that are no machine's.
            others = sorted(names[user] for user in users[image] if user != machine and user in names)
            kept = ""
            if others:
                kept = "also attached to " + ", ".join(others)
            elif set(below) - own:
                kept = "parent of other disk images"
            answer.append(
                {
                    "id": image,
                    "location": images[image]["Location"],
                    "size": _size(images[image].get("Size on disk", "")),
                    "children": below,
                    "kept": kept,
                }
            )
        keep_parents(answer)
        return answer

    async def perform(self, action: Action, machine: str, disks: Collection[str]) -> None:
        """Do it. Raises ActionError with VBoxManage's reason."""
        try:
            if action is Action.DELETE:
                await self._delete(machine, disks)
            elif action is Action.RESTART:
                await self._restart(machine)
            elif action is Action.START and await self.state(machine) == "Paused":
                await self._control(machine, Action.RESUME)
            elif action is Action.START:
                await self.run("startvm", machine, "--type=headless", seconds=_LONG)
            else:
                await self._control(machine, action)
        except ManageError as error:
            raise ActionError(str(error)) from None

    async def _control(self, machine: str, action: Action) -> None:
        word = {
            Action.STOP: "acpipowerbutton",
            Action.KILL: "poweroff",
            Action.PAUSE: "pause",
            Action.RESUME: "resume",
            Action.SAVE: "savestate",
            Action.RESET: "reset",
        }[action]
        await self.run("controlvm", machine, word, seconds=_TIMEOUTS.get(action, _LONG))

    async def _restart(self, machine: str) -> None:
        await self._control(machine, Action.STOP)
        deadline = time.monotonic() + SHUTDOWN_TIMEOUT
        state = ""
        while state not in {"PoweredOff", "Aborted", "Saved"}:
            if time.monotonic() > deadline:
                raise ActionError(
                    f"the guest did not shut down within {SHUTDOWN_TIMEOUT:.0f} s: power it off or reset it"
                )
            await asyncio.sleep(POLL_PERIOD)
            with contextlib.suppress(ManageError):
                state = await self.state(machine)
        await self.run("startvm", machine, "--type=headless", seconds=_LONG)

    async def _delete(self, machine: str, disks: Collection[str]) -> None:
        found = await self.media(machine) if disks else []
        media = {medium[key]: medium for medium in found for key in ("id", "location")}
        chosen = {}
        for location in disks:
            medium = media.get(location)
            if medium is None:
                raise ActionError(clean(f"{location} does not belong to this VM any more"))
            if medium["kept"]:
                raise ActionError(clean(f"{location} is {medium['kept']}"))
            chosen[medium["id"]] = medium
        for medium in chosen.values():
            if not set(medium["children"]) <= set(chosen):
                raise ActionError(clean(f"{medium['location']} is the parent of a disk image that would stay"))
        layers = {key for medium in found if medium["children"] for key in (medium["id"], *medium["children"])}
        if layers & set(chosen):
            # Once the machine is gone, VBoxManage can open only images that stand alone. With --delete goes what is
            # attached, so that must be what was chosen.
            if others := [medium["location"] for medium in found if medium["id"] not in chosen]:
                raise ActionError(
                    "VBoxManage deletes disk images with snapshots only with all others of the VM; not chosen: "
                    + clean(", ".join(others))
                )
            await self.run("unregistervm", machine, "--delete", seconds=_TIMEOUTS[Action.DELETE])
            return
        await self.run("unregistervm", machine, seconds=_LONG)
        kept = []
        for medium in chosen.values():
            try:
                await self.run("closemedium", "disk", medium["location"], "--delete", seconds=_TIMEOUTS[Action.DELETE])
            except ManageError as error:
                kept.append(f"{medium['location']} ({error})")
        if kept:
            raise ActionError(clean("unregistered, but kept: " + ", ".join(kept)))


async def connect(command: Sequence[str]) -> tuple[VBoxManage, str]:
    """A working VBoxManage and its version. Raises EngineError."""
    manage = VBoxManage(command)
    try:
        return manage, await manage.version()
    except ManageError as error:
        raise EngineError(f"VBoxManage: {error}") from None


def keep_parents(media: list[dict[str, Any]]) -> None:
    """Have the images that kept ones rest on be kept, too."""
    kept = {medium["id"] for medium in media if medium["kept"]}
    while found := [medium for medium in media if not medium["kept"] and kept & set(medium["children"])]:
        for medium in found:
            medium["kept"] = "parent of a disk image that stays"
            kept.add(medium["id"])


def reason_of(text: str, status: int) -> str:
    """What VBoxManage said on stderr, without where in its source it said so; in one clean line."""
    if any(mark in text for mark in _GONE):
        return LOST
    lines = [line.removeprefix("VBoxManage: error: ") for line in text.splitlines() if "error: " in line]
    lines = [line for line in lines if not line.startswith(("Details: ", "Context: "))]
    return clean(" ".join(lines) or text.strip() or f"it ended with status {status}")


def _listing(text: str) -> dict[str, str]:
    """Names by UUID."""
    matches = (_LISTED.match(line) for line in text.splitlines())
    return {match["id"]: match["name"] for match in matches if match}


def _pairs(text: str) -> dict[str, str]:
    return {match["quoted"] or match["key"]: match["value"].strip('"') for match in _PAIR.finditer(text)}


def _block(text: str) -> dict[str, str]:
    """`Key:   value` lines; a line that is indented continues the last."""
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.startswith(" "):
            last = key
            found[key] = value.strip()
        elif last:
            found[last] += " " + line.strip()
    return found


def _size(text: str) -> int | None:
    match = re.match(r"(\d+) MBytes", text)
    return int(match[1]) << 20 if match else None


def _details(machine: str, name: str, info: dict[str, str], live: bool) -> dict[str, Any]:
    return {
        "id": machine,
        "name": name,
        "state": state_name(info.get("VMState", "")),
        "os_type": info.get("ostype", ""),
        "cpus": int(info.get("cpus", "0") or 0),
        "memory": int(info.get("memory", "0") or 0) << 20,
        "changed": _time(info.get("VMStateChangeTime", "")),
        "started": None,
        "groups": [group for group in info.get("groups", "").split(",") if group],
        "description": info.get("description", ""),
        "snapshots": sum(1 for key in info if key.startswith("SnapshotUUID")),
        "autostart": info.get("autostart-enabled") == "on",
        "error": "",
        "live": live,
    }


def _inaccessible(machine: str, name: str, reason: str) -> dict[str, Any]:
    return {
        "id": machine,
        "name": machine if name == NO_ACCESS else name,
        "state": INACCESSIBLE,
        "os_type": "",
        "cpus": 0,
        "memory": 0,
        "changed": None,
        "started": None,
        "groups": [],
        "description": "",
        "snapshots": 0,
        "error": reason,
        "live": False,
    }


def _time(text: str) -> float | None:
    """Unix time of e.g. 2026-11-23T11:28:23.262000000 (UTC)."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC).timestamp()
    return None
