"""A container made anew in the place of an old one, which is kept until the new one runs, and put back otherwise.

No step is left half done: being cancelled is heeded between steps, never within one, and the way back always runs to
its end. What a killed boxtop leaves is the old container under its name with `.boxtop-old` behind, whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backends.abilities.containers import ASIDE, Existing, Recreate, Recreation
from backends.base import ActionError, EngineError
from backends.docker.client import Connection
from backends.docker.errors import status
from backends.docker.inspecting import inspected
from backends.docker.parse import image_id
from backends.docker.posting import post
from backends.docker.running import create, image_of
from backends.model import Action, ActionOptions, Kind, Ref
from backends.progress import Progress, Report
from backends.runs.again import Again, again, changed
from backends.runs.shown import anonymous_volumes, shown
from backends.text import clean
from backends.threads import settled, whole

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_STEPS = 5
_LOOK = 0.25
"""Seconds between two looks at a new container."""
_BROUGHT_UP = {"always", "on-failure"}
"""Restart policies by which an engine that comes up may start a container that was stopped."""
_STAYS_DOWN = "unless-stopped"
_HEALTH_AT_MOST = 300.0
"""Seconds a health check is waited for in the end."""


class DockerRecreate(Recreate):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def existing(self, container: Ref) -> Existing:
        return await self._backend.ask(lambda connection: _existing(connection, container.id))

    async def recreate(self, container: Ref, how: Recreation, report: Report) -> str:
        plan = await self._backend.ask(lambda connection: _plan(connection, container.id, how))
        if plan.nothing_new and not how.always:
            return f"{plan.made.name} is up to date: same image, same settings; nothing was done"
        return await _Swap(self._backend, container, plan, how, report).run()

    async def put_back(self, container: Ref, successor: Ref | None, report: Report) -> str:
        answer = await self._backend.ask(lambda connection: inspected(connection, container.id))
        aside = _name(answer)
        if not aside.endswith(ASIDE):
            raise ActionError(f"only a container whose name ends in {ASIDE} is put back")
        name = aside.removesuffix(ASIDE)
        holder = await self._backend.ask(lambda connection: _found(connection, name))
        if holder and (successor is None or holder != successor.id):
            raise ActionError(f"another container is called {name} by now: nothing was done")
        policy = await self._backend.ask(lambda connection: _policy(connection, holder)) if holder else {}
        if holder:
            report.progress(Progress(f"removing the new {name}", 0, 3, bytes=False))
            await whole(self._backend.act(lambda connection: _discard(connection, holder)))
        report.progress(Progress(f"renaming {aside}", 1, 3, bytes=False))
        await whole(self._backend.act(lambda connection: connection.acting.rename(container.id, name)))
        report.progress(Progress(f"starting {name}", 2, 3, bytes=False))
        await whole(self._backend.perform(Action.START, container, ActionOptions()))
        own = (answer.get("HostConfig") or {}).get("RestartPolicy") or {}
        if policy.get("Name") in _BROUGHT_UP and own.get("Name") == _STAYS_DOWN:
            # It was changed when this one was kept
            await whole(self._backend.act(lambda connection: _set_policy(connection, container.id, policy)))
        return f"{name} is the old container again"


@dataclass(frozen=True, slots=True)
class _Plan:
    made: Again
    aside: str
    runs: bool
    """Whether the old one does, so that the new one is to be started."""
    patience: float
    """Seconds its health check may take; 0 without one."""
    nothing_new: bool
    image: str


class _Swap:
    """One recreation under way: what was done so far, so that it can be undone."""

    def __init__(self, backend: DockerBackend, old: Ref, plan: _Plan, how: Recreation, report: Report) -> None:
        self._backend = backend
        self._old = old
        self._plan = plan
        self._how = how
        self._report = report
        self._stopped = False
        self._new = ""

    async def run(self) -> str:
        plan = self._plan
        name = plan.made.name
        try:
            await self._forward()
        except BaseException as error:
            back = asyncio.ensure_future(self._backward())
            await settled(back)
            reason = _reason(error)
            undone = back.result()
            self._report.line(undone)
            if isinstance(error, asyncio.CancelledError):
                if undone.startswith("NOT"):
                    raise ActionError(f"cancelled; {undone}") from None
                raise
            if not isinstance(error, (ActionError, EngineError)):
                raise
            raise ActionError(f"{reason}; {undone}") from None
        result = f"{name} was made anew from {plan.image}"
        if self._how.keep:
            return f"{result}; the old one is {plan.aside}{await self._laid_to_rest()}"
        self._step(5, f"removing {plan.aside}")
        try:
            await whole(self._backend.act(lambda connection: _remove_old(connection, self._old.id)))
        except (ActionError, EngineError) as error:
            return f"{result}; the old one, {plan.aside}, could not be removed: {error}"
        return result

    async def _laid_to_rest(self) -> str:
        """Keep the engine from starting the old one beside the new one when it comes up again; what to know of it."""
        old = self._old.id
        policy = await self._backend.ask(lambda connection: _policy(connection, old))
        if policy.get("Name") not in _BROUGHT_UP:
            return ""
        try:
            await whole(self._backend.act(lambda connection: _set_policy(connection, old, {"Name": _STAYS_DOWN})))
        except (ActionError, EngineError) as error:
            return f", which may start with the engine, as its restart policy could not be changed: {error}"
        return f", with restart policy {_STAYS_DOWN}, so that the engine does not start it beside the new one"

    async def _forward(self) -> None:
        backend, plan = self._backend, self._plan
        name = plan.made.name
        self._step(0, f"renaming {name} to {plan.aside}")
        await whole(backend.act(lambda connection: connection.acting.rename(self._old.id, plan.aside)))
        self._step(1, f"creating {name} from {plan.image}")
        await whole(self._create())
        if not plan.runs:
            return
        self._step(2, f"stopping {plan.aside}")
        await whole(self._stop())
        self._step(3, f"starting {name}")
        await whole(backend.perform(Action.START, self._ref(self._new), ActionOptions()))
        self._step(4, f"watching {name} for {self._how.observe:g} s")
        await self._observe()

    async def _create(self) -> None:
        made = self._plan.made
        self._new = await self._backend.act(lambda connection: create(connection, made.name, made.body, made.networks))

    async def _stop(self) -> None:
        # Half stopped is stopped for the way back
        self._stopped = True
        await self._backend.perform(Action.STOP, self._old, ActionOptions())

    async def _observe(self) -> None:
        """Raise ActionError when the new one does not stay up, or does not become healthy."""
        began = time.monotonic()
        name = self._plan.made.name
        while True:
            answer = await self._backend.ask(lambda connection: inspected(connection, self._new))
            state = answer.get("State") or {}
            word = clean(str(state.get("Status") or ""), 32)
            if word != "running" or int(answer.get("RestartCount") or 0):
                said = clean(str(state.get("Error") or ""), 200)
                code = state.get("ExitCode")
                raise ActionError(f"the new {name} did not stay up: {said or f'exit code {code}'}")
            health = str((state.get("Health") or {}).get("Status") or "")
            took = time.monotonic() - began
            if health == "unhealthy":
                raise ActionError(f"the new {name} is unhealthy")
            if health in {"", "none", "healthy"} and took >= self._how.observe:
                return
            if took >= self._how.observe and took >= self._plan.patience:
                raise ActionError(f"the new {name} did not become healthy in {took:.0f} s")
            await asyncio.sleep(_LOOK)

    async def _backward(self) -> str:
        """Undo what was done; what came of it in words. Never raises."""
        plan, backend = self._plan, self._backend
        name = plan.made.name
        try:
            if self._new:
                self._report.progress(Progress(f"removing the new {name}", bytes=False))
                self._report.line(await backend.ask(lambda connection: _last_words(connection, self._new)))
                await backend.act(lambda connection: _discard(connection, self._new))
            self._report.progress(Progress(f"putting the old {name} back", bytes=False))
            if _name(await backend.ask(lambda connection: inspected(connection, self._old.id))) != name:
                await backend.act(lambda connection: connection.acting.rename(self._old.id, name))
            if self._stopped:
                await backend.perform(Action.START, self._old, ActionOptions())
        except Exception as error:
            return f"NOT put back, the old container is {plan.aside}: {_reason(error)}"
        return f"the old {name} {'runs again' if self._stopped else 'was left as it was'}"

    def _ref(self, identity: str) -> Ref:
        return Ref(self._backend.engine, Kind.CONTAINER, identity)

    def _step(self, done: int, text: str) -> None:
        self._report.line(text)
        self._report.progress(Progress(text, done, _STEPS, bytes=False))


def _reason(error: BaseException) -> str:
    if isinstance(error, EngineError) and error.remedy:
        return f"{error.reason}: {error.remedy}"
    return clean(str(error), 400) or type(error).__name__


def _found(connection: Connection, name: str) -> str:
    """The id of the container of this name; empty when there is none."""
    try:
        answer = connection.asking.inspect_container(name)
    except Exception as error:
        if status(error) == 404:
            return ""
        raise
    return str(answer["Id"]) if _name(answer) == name else ""


def _name(answer: dict[str, Any]) -> str:
    return str(answer.get("Name") or "").removeprefix("/")


def _existing(connection: Connection, container: str) -> Existing:
    answer = inspected(connection, container)
    spec = shown(answer, image_of(connection, str(answer.get("Image") or ""))).spec
    notes = []
    anonymous = anonymous_volumes(answer)
    if anonymous:
        paths = ", ".join(clean(path, 200) for path in anonymous)
        notes.append(f"anonymous volumes stay attached: {paths}")
    sharing = _sharing(connection, answer)
    if sharing:
        notes.append(f"shares its network with {', '.join(sharing)}: recreate these afterwards")
    if connection.podman:
        notes.append("a size limit of its log is not told by Podman: the new one has the engine's")
    if not spec.start:
        notes.append("it does not run: the new one is only created")
    return Existing(spec, tuple(notes), _refusal(answer))


def _refusal(answer: dict[str, Any]) -> str:
    name = _name(answer)
    if (answer.get("HostConfig") or {}).get("AutoRemove"):
        return "it runs with --rm: the engine removes it as soon as it stops, so it could not be put back"
    word = clean(str((answer.get("State") or {}).get("Status") or ""), 32)
    if word in {"paused", "removing", "dead"}:
        return f"it is {word}{': resume it first' if word == 'paused' else ''}"
    if name.endswith(ASIDE):
        return "it made room for another already: put it back, or delete it"
    return ""


def _sharing(connection: Connection, answer: dict[str, Any]) -> list[str]:
    """Names of the containers in this one's network namespace."""
    found = []
    for entry in connection.asking.containers(all=True):
        mode = str((entry.get("HostConfig") or {}).get("NetworkMode") or "")
        if mode in {f"container:{answer.get('Id')}", f"container:{_name(answer)}"}:
            found.append(clean(str((entry.get("Names") or ["?"])[0]).removeprefix("/"), 256))
    return sorted(found)


def _plan(connection: Connection, container: str, how: Recreation) -> _Plan:
    answer = inspected(connection, container)
    refusal = _refusal(answer)
    if refusal:
        raise ActionError(refusal)
    image = image_of(connection, str(answer.get("Image") or ""))
    before = shown(answer, image).spec
    try:
        made = again(answer, image, how.spec, podman=connection.podman)
    except ValueError as error:
        raise ActionError(str(error)) from None
    reference = str(made.body.config.get("Image") or "")
    now = image_of(connection, reference)
    if now is None:
        raise ActionError(f"there is no image {clean(reference, 200)} here: pull it first")
    aside = made.name + ASIDE
    if _found(connection, aside):
        raise ActionError(f"there is {aside} from an earlier time: put it back, or delete it")
    edited = how.spec is not None and bool(changed(before, how.spec) or how.spec.more)
    same = image_id(str(now.get("Id"))) == image_id(str(answer.get("Image")))
    health = made.body.config.get("Healthcheck") or (now.get("Config") or {}).get("Healthcheck") or {}
    return _Plan(made, aside, before.start, _patience(health), same and not edited, clean(reference, 200))


def _patience(health: dict[str, Any]) -> float:
    """Seconds after which a health check that keeps failing has said so: Docker's defaults where it says nothing."""
    if not health or list(health.get("Test") or ())[:1] == ["NONE"]:
        return 0.0
    interval = (health.get("Interval") or 30e9) + (health.get("Timeout") or 30e9)
    seconds = ((health.get("StartPeriod") or 0) + interval * ((health.get("Retries") or 3) + 1)) / 1e9
    return float(min(seconds, _HEALTH_AT_MOST))


def _last_words(connection: Connection, container: str) -> str:
    """The last line a failed container wrote, for the task's output."""
    try:
        raw = connection.asking.logs(container, tail=1, stream=False, follow=False)
    except Exception as error:
        return f"its log cannot be read: {clean(str(error), 200)}"
    text = clean(raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw), 400).strip()
    return f"its last line: {text}" if text else "it wrote nothing"


def _policy(connection: Connection, container: str) -> dict[str, Any]:
    return (inspected(connection, container).get("HostConfig") or {}).get("RestartPolicy") or {}


def _set_policy(connection: Connection, container: str, policy: Mapping[str, Any]) -> None:
    post(connection, f"/containers/{container}/update", {"RestartPolicy": dict(policy)})


def _discard(connection: Connection, container: str) -> None:
    """Remove a new container. Volumes stay: those of the old one are attached to it."""
    try:
        connection.acting.remove_container(container, force=True, v=False)
    except Exception as error:
        if status(error) != 404:
            raise


def _remove_old(connection: Connection, container: str) -> None:
    connection.acting.remove_container(container, v=False)
