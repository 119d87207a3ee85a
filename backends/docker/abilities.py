"""What a Docker or Podman engine can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping

ABILITIES: Mapping[str, str] = {
    "build.Build": "building.DockerBuild",
    "belongings.Networks": "keeping.DockerNetworks",
    "belongings.Sizes": "keeping.DockerSizes",
    "belongings.Volumes": "keeping.DockerVolumes",
    "containers.Commit": "altering.DockerCommit",
    "containers.Recreate": "recreation.DockerRecreate",
    "containers.Rename": "altering.DockerRename",
    "containers.Run": "running.DockerRun",
    "containers.Update": "altering.DockerUpdate",
    "compose.Compose": "compose.DockerCompose",
    "events.Events": "told.DockerEvents",
    "files.Files": "files.DockerFiles",
    "inside.Changes": "inside.DockerChanges",
    "inside.Processes": "inside.DockerProcesses",
    "logs.Logs": "logs.DockerLogs",
    "images.Pull": "transfers.DockerPull",
    "images.Push": "transfers.DockerPush",
    "images.Tags": "images.DockerTags",
    "images.PruneImages": "images.DockerPruneImages",
    "images.History": "images.DockerHistory",
    "images.Archives": "archives.DockerArchives",
    "images.Search": "images.DockerSearch",
    "images.Registries": "registries.DockerRegistries",
    "environment.Environment": "environment.DockerEnvironment",
    "shell.Attach": "shell.DockerAttach",
    "shell.Shell": "shell.DockerShell",
}
"""Module and class in this package by ability; the class is made with the DockerBackend."""
