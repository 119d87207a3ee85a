"""What a Docker or Podman engine can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from backends.abilities import (
    belongings,
    build,
    compose,
    containers,
    environment,
    events,
    files,
    images,
    inside,
    logs,
    shell,
)

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

ABILITIES: Mapping[type, str] = {
    build.Build: "building.DockerBuild",
    belongings.Networks: "keeping.DockerNetworks",
    belongings.Sizes: "keeping.DockerSizes",
    belongings.Volumes: "keeping.DockerVolumes",
    containers.Commit: "altering.DockerCommit",
    containers.Recreate: "recreation.DockerRecreate",
    containers.Rename: "altering.DockerRename",
    containers.Run: "running.DockerRun",
    containers.Update: "altering.DockerUpdate",
    compose.Compose: "compose.DockerCompose",
    events.Events: "told.DockerEvents",
    files.Files: "files.DockerFiles",
    inside.Changes: "inside.DockerChanges",
    inside.Processes: "inside.DockerProcesses",
    logs.Logs: "logs.DockerLogs",
    images.Pull: "transfers.DockerPull",
    images.Push: "transfers.DockerPush",
    images.Tags: "images.DockerTags",
    images.PruneImages: "images.DockerPruneImages",
    images.History: "images.DockerHistory",
    images.Archives: "archives.DockerArchives",
    images.Search: "images.DockerSearch",
    images.Registries: "registries.DockerRegistries",
    environment.Environment: "environment.DockerEnvironment",
    shell.Attach: "shell.DockerAttach",
    shell.Shell: "shell.DockerShell",
}
"""Module and class in this package by ability; the class is made with the DockerBackend."""


def make(kind: type, backend: DockerBackend) -> object | None:
    place = ABILITIES.get(kind)
    if place is None:
        return None
    module, _, name = place.partition(".")
    found: object = getattr(import_module(f"backends.docker.{module}"), name)(backend)
    return found
