"""VBox.log: the file itself where it can be read, else what VBoxManage tells of it (VBoxManage 7.2)."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from backends.abilities.engine_log import EngineLog, LogMark, LogPart
from backends.base import ActionError
from backends.model import Ref
from backends.tail import MOST, part_of, read_file
from backends.virtualbox.manage import ManageError, refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_NONE = "VirtualBox has written no log of it yet: it was never started"
_BY_COMMAND = 5.0
"""Seconds between two questions to VBoxManage, which tells the whole log each time."""


class VirtualBoxLog(EngineLog):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend
        self._paths: dict[Ref, str] = {}

    async def read(self, ref: Ref, after: LogMark | None = None) -> LogPart:
        path = self._paths.get(ref, "") if after is not None else await self._path(ref)
        if path:
            self._paths[ref] = path
            try:
                return await asyncio.to_thread(read_file, path, after)
            except FileNotFoundError:
                self._paths.pop(ref)
            except OSError:
                self._paths[ref] = ""
        return await self._told(ref, after)

    async def _path(self, ref: Ref) -> str:
        with refusals():
            folder = (await self._backend.manager().info(ref.id)).get("LogFldr", "")
        return str(PurePosixPath(folder) / "VBox.log") if folder.startswith("/") else ""

    async def _told(self, ref: Ref, after: LogMark | None) -> LogPart:
        try:
            text = await self._backend.manager().run("showvminfo", ref.id, "--log", "0")
        except ManageError as error:
            raise ActionError(_NONE if "log" in str(error).lower() else str(error)) from None
        data = text.encode()
        if not data.strip():
            raise ActionError(_NONE)
        # a log begun anew has other first lines, which tell its time
        identity = (0, hash(data[:400]))
        same = after is not None and after.file == identity and len(data) >= after.offset
        start = after.offset if same and after else max(0, len(data) - MOST)
        mark = LogMark(identity, start, after.held if same and after else 0)
        place = f"VBoxManage showvminfo {ref.id} --log 0"
        cut = start > 0 and not same
        anew = after is not None and not same
        return part_of(data[start:], mark, place, cut=cut, anew=anew, again=_BY_COMMAND)
