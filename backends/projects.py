"""Compose projects, as the labels of their containers tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from backends.model import Container

PROJECT_LABELS = ("com.docker.compose.project", "io.podman.compose.project", "com.docker.stack.namespace")
"""What names a container's project: Compose, podman-compose, a Swarm stack; the first that is there."""
SERVICE_LABELS = ("com.docker.compose.service", "io.podman.compose.service", "com.docker.swarm.service.name")
FOLDER_LABEL = "com.docker.compose.project.working_dir"
FILES_LABEL = "com.docker.compose.project.config_files"
ENVIRONMENT_LABEL = "com.docker.compose.project.environment_file"
HASH_LABEL = "com.docker.compose.config-hash"
_LABELS = frozenset((*PROJECT_LABELS, *SERVICE_LABELS))


@dataclass(frozen=True, slots=True)
class Project:
    """A project as the labels of its containers tell it. Paths are those of the machine Compose ran on."""

    name: str
    """Empty: as its files or its folder say, which Compose knows."""
    folder: str = ""
    files: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    by_podman: bool = False
    """podman-compose made it, whose containers Compose would make anew."""
    stack: bool = False
    """It is a Swarm stack, which Compose does not know."""


def project_of(labels: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """A container's project and service by name; empty where its labels name none."""
    named = {key: value for key, value in labels if value and key in _LABELS}
    project = next((named[label] for label in PROJECT_LABELS if label in named), "")
    if not project:
        return "", ""
    for label in SERVICE_LABELS:
        if label in named:
            # Swarm calls a stack's service `stack_service`
            return project, named[label].removeprefix(f"{project}_") if label == SERVICE_LABELS[-1] else named[label]
    return project, ""


def project_from(containers: Sequence[Container]) -> Project | None:
    """What containers of one project tell of it, the newest of them first of all; None where they are in none."""
    newest = sorted(containers, key=lambda container: container.created, reverse=True)
    every = [dict(container.labels) for container in newest]
    name = next((found for container in newest if (found := project_of(container.labels)[0])), "")
    if not name:
        return None

    def told(label: str) -> str:
        return next((labels[label] for labels in every if labels.get(label)), "")

    compose = told(PROJECT_LABELS[0]) or told(PROJECT_LABELS[1])
    folder = told(FOLDER_LABEL)
    return Project(
        name=name,
        folder=folder,
        files=_listed(told(FILES_LABEL), folder),
        environment_files=_listed(told(ENVIRONMENT_LABEL), folder),
        by_podman=bool(told(PROJECT_LABELS[1])),
        stack=not compose,
    )


def _listed(text: str, folder: str) -> tuple[str, ...]:
    """Compose joins paths by commas; older ones are as they were typed, from its working folder."""
    return tuple(str(PurePosixPath(folder) / part.strip()) for part in text.split(",") if part.strip())
