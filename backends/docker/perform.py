"""Actions on containers and images, and what they would destroy. Blocking; called from the backend's threads."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backends.base import ActionError
from backends.docker import belongings
from backends.docker.client import Connection
from backends.docker.errors import status
from backends.docker.parse import image_id, is_anonymous
from backends.model import Action, ActionOptions, Kind, Loss, Ref
from backends.text import clean

DEFAULT_STOP_TIMEOUT = 10
_LONGEST_STOP_TIMEOUT = 3600
_LIVE = {"running", "paused", "restarting", "stopping"}


def perform(connection: Connection, action: Action, ref: Ref, options: ActionOptions) -> None:
    """Do it and return when the engine says it is done. Raises ActionError, or what the SDK raises."""
    if ref.kind is Kind.IMAGE:
        if action is not Action.DELETE:
            raise ActionError("images do not run")
        _delete_image(connection, ref.id, force=options.force)
        return
    if ref.kind in {Kind.VOLUME, Kind.NETWORK}:
        if action is not Action.DELETE:
            raise ActionError(f"{ref.kind}s do not run")
        belongings.delete(connection, ref)
        return
    client = connection.acting
    match action:
        case Action.START:
            if _state(connection, ref.id) == "paused":
                client.unpause(ref.id)
            else:
                client.start(ref.id)
        case Action.STOP:
            own = options.timeout if options.timeout is not None else _stop_timeout(connection, ref.id)
            client.stop(ref.id, timeout=min(own, _LONGEST_STOP_TIMEOUT))
        case Action.RESTART:
            client.restart(ref.id, timeout=_stop_timeout(connection, ref.id))
        case Action.PAUSE:
            client.pause(ref.id)
        case Action.RESUME:
            client.unpause(ref.id)
        case Action.KILL:
            client.kill(ref.id, options.signal)
        case Action.DELETE:
            client.remove_container(ref.id, v=options.volumes, force=options.force)
        case _:
            raise ActionError(f"containers cannot {action}")


def losses(connection: Connection, ref: Ref) -> tuple[Loss, ...]:
    """What deleting destroys beyond the object itself. Raises ActionError or what the SDK raises."""
    if ref.kind in {Kind.VOLUME, Kind.NETWORK}:
        return belongings.losses(connection, ref)
    return _image_losses(connection, ref.id) if ref.kind is Kind.IMAGE else _container_losses(connection, ref.id)


def _container_losses(connection: Connection, container: str) -> tuple[Loss, ...]:
    answer: dict[str, Any] = connection.asking.inspect_container(container)
    found = []
    word = str((answer.get("State") or {}).get("Status") or "")
    if word in _LIVE:
        found.append(Loss(f"it is {clean(word, 32)}: what its processes have not written is lost"))
    found.append(Loss("all files it wrote outside of volumes and mounts, and its logs"))
    for mount in answer.get("Mounts") or ():
        name = str(mount.get("Name") or "")
        if mount.get("Type") != "volume" or not is_anonymous(name):
            continue
        others = [
            _name(other)
            for other in connection.asking.containers(all=True, filters={"volume": name})
            if other["Id"] != answer.get("Id")
        ]
        where = clean(str(mount.get("Destination") or ""), 200)
        kept = f"also used by {', '.join(sorted(others))}" if others else ""
        found.append(Loss(f"anonymous volume {name[:12]} at {where}, if volumes are removed too", name, kept=kept))
    return tuple(found)


def _image_losses(connection: Connection, image: str) -> tuple[Loss, ...]:
    entry = _image_entry(connection, image)
    tags = [tag for tag in entry.get("RepoTags") or () if "<none>" not in tag]
    found = [Loss(f"tag {clean(tag, 512)}") for tag in tags]
    for container, word in _users(connection, image):
        found.append(Loss(f"also used by {container} ({word})", kept="the container stays"))
    return tuple(found)


def _delete_image(connection: Connection, image: str, *, force: bool) -> None:
    """Remove an image with all its tags. Only this image, also where a build moves a tag of it meanwhile.

    An engine removes by id what one repository refers to, and refuses several: then all tags but the last are removed
    by name, each looked at just before.
    """
    client = connection.acting
    entry = _image_entry(connection, image)
    users = _users(connection, image)
    running = [name for name, word in users if word in _LIVE]
    if running:
        raise ActionError(f"{', '.join(running)} runs from this image: stop and delete the container first")
    if force:
        client.remove_image(image, force=True)
        return
    if users:
        names = ", ".join(name for name, _ in users)
        raise ActionError(f"used by {names}: delete the container first, or choose force")
    for tag in _by_name(entry):
        untag(connection, image, tag)
    try:
        client.remove_image(image)
    except Exception as error:
        if status(error) != 404:
            raise


def _by_name(entry: Mapping[str, Any]) -> list[str]:
    """The tags that must go before the engine removes the image by its id."""
    tags = [tag for tag in entry.get("RepoTags") or () if "<none>" not in tag]
    repositories = {tag.rpartition(":")[0] for tag in tags}
    digests = {digest.partition("@")[0] for digest in entry.get("RepoDigests") or () if "<none>" not in digest}
    # A digest left from a pull of another name counts as one more repository
    return tags[:-1] if digests <= repositories else tags


def untag(connection: Connection, image: str, tag: str) -> None:
    """Take a name from an image; not from another one that it was moved to."""
    try:
        now = image_id(str(connection.asking.inspect_image(tag)["Id"]))  # type: ignore[no-untyped-call]
        if now == image:
            connection.acting.remove_image(tag)
            return
    except Exception as error:
        if status(error) == 404:
            return
        raise
    raise ActionError(f"{clean(tag, 512)} was moved to another image meanwhile: the rest of this one was left alone")


def _image_entry(connection: Connection, image: str) -> Mapping[str, Any]:
    entries: list[dict[str, Any]] = connection.asking.images()
    for entry in entries:
        if image_id(str(entry.get("Id"))) == image:
            return entry
    raise ActionError("the image is gone")


def _users(connection: Connection, image: str) -> list[tuple[str, str]]:
    """(name, state) of the containers made from an image, sorted."""
    return sorted(
        (_name(entry), clean(str(entry.get("State") or ""), 32))
        for entry in connection.asking.containers(all=True)
        if image_id(str(entry.get("ImageID"))) == image
    )


def _name(entry: Mapping[str, Any]) -> str:
    names = entry.get("Names") or [str(entry.get("Id"))[:12]]
    return clean(str(names[0]).removeprefix("/"), 256)


def _state(connection: Connection, container: str) -> str:
    return str((connection.asking.inspect_container(container).get("State") or {}).get("Status") or "")


def _stop_timeout(connection: Connection, container: str) -> int:
    """The container's own time between SIGTERM and SIGKILL, to be waited for rather than taken for a failure."""
    config = connection.asking.inspect_container(container).get("Config") or {}
    timeout = DEFAULT_STOP_TIMEOUT
    with suppress(TypeError, ValueError):
        timeout = int(config["StopTimeout"]) if config.get("StopTimeout") is not None else DEFAULT_STOP_TIMEOUT
    return _LONGEST_STOP_TIMEOUT if timeout < 0 else min(timeout, _LONGEST_STOP_TIMEOUT)
