"""What a Compose command means for the selected containers, and what is asked before it: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backends.abilities.compose import Belongings, ComposeOptions, Tool, Verb
from backends.model import Container, Item, Kind
from backends.projects import Project, project_from, project_of
from tui.confirmations import CANCEL, Confirmation
from tui.grouping import Group
from widgets.confirm import Answer, Choice, Option
from widgets.tones import Tone

Line = tuple[str, Tone]

WITH_VOLUMES = "volumes"


@dataclass(frozen=True, slots=True)
class Target:
    """A project on an engine, or some services of it."""

    engine: str
    project: Project
    services: tuple[str, ...]
    """Empty: all of them."""
    containers: tuple[Container, ...]
    """Those concerned, by name."""

    @property
    def text(self) -> str:
        """`project shop`, `service web of shop`."""
        if not self.project.name:
            return f"the project in {self.project.folder}"
        if not self.services:
            return f"project {self.project.name}"
        noun = "service" if len(self.services) == 1 else "services"
        return f"{noun} {', '.join(self.services)} of {self.project.name}"

    @property
    def short(self) -> str:
        name = self.project.name or self.project.folder
        return f"{name}/{','.join(self.services)}" if self.services else name


def targets_of(items: Sequence[Item], everything: Iterable[Item], group: Group | None) -> list[Target]:
    """The projects these containers are of: whole where all of one are meant, else their services.

    `everything`: all containers there are. `group`: the group whose header was chosen, if one was.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for item in items:
        if isinstance(item, Container):
            project, service = project_of(item.labels)
            if project:
                wanted.setdefault((item.ref.engine, project), set()).add(service)
    found: list[Target] = []
    members: dict[tuple[str, str], list[Container]] = {key: [] for key in wanted}
    for item in everything:
        if isinstance(item, Container):
            key = (item.ref.engine, project_of(item.labels)[0])
            if key in members:
                members[key].append(item)
    whole = group is not None and group.kind is Kind.CONTAINER and len(group.key.path) == 1
    chosen = {item.ref for item in items}
    for (engine, _), services in wanted.items():
        containers = sorted(members[(engine, _)], key=lambda one: one.name)
        project_told = project_from(containers)
        if project_told is None:
            continue
        if whole or all(one.ref in chosen for one in containers) or "" in services:
            found.append(Target(engine, project_told, (), tuple(containers)))
        else:
            of_services = tuple(one for one in containers if project_of(one.labels)[1] in services)
            found.append(Target(engine, project_told, tuple(sorted(services)), of_services))
    return found


def widened(target: Target, everything: Iterable[Item]) -> Target:
    """The whole project of a target."""
    key = (target.engine, target.project.name)
    containers = [
        item
        for item in everything
        if isinstance(item, Container) and (item.ref.engine, project_of(item.labels)[0]) == key
    ]
    return Target(target.engine, target.project, (), tuple(sorted(containers, key=lambda one: one.name)))


def service_names(target: Target) -> list[str]:
    return sorted({project_of(one.labels)[1] for one in target.containers} - {""})


def asks(verb: Verb, target: Target) -> bool:
    """Whether it is asked about first: what removes, replaces or builds always, what interrupts several containers."""
    if verb in {Verb.UP, Verb.DOWN, Verb.BUILD}:
        return True
    return verb in {Verb.STOP, Verb.RESTART} and len(target.containers) > 1


_VERBS = {
    Verb.UP: "Bring up",
    Verb.DOWN: "Take down",
    Verb.STOP: "Stop",
    Verb.RESTART: "Restart",
    Verb.BUILD: "Build the images of",
    Verb.PULL: "Pull the images of",
    Verb.START: "Start",
}


def question(verb: Verb, target: Target, tool: Tool, belongings: Belongings, *, remote: str = "") -> Confirmation:
    """The question before a Compose command. `remote`: the engine's address where it is not this machine's."""
    project = target.project
    lines: list[Line] = [(f"{target.text} on {target.engine}, by {tool.text}", "strong")]
    where = " on THIS machine" if remote else ""
    lines += [(f"  from {file}{where}", "warn" if remote else "dim") for file in project.files]
    if remote:
        lines.append((f"  The engine is at {remote}: are these files the ones its project was made from?", "warn"))
    if project.by_podman:
        lines.append(("  podman-compose made it: Compose may make its containers anew.", "warn"))
    lines.append(("", ""))
    if verb is Verb.DOWN:
        lines += _losses(target, belongings)
    else:
        lines += [(f"  {one.name}  {one.image}  {one.state}", "") for one in target.containers]
    note = _NOTES.get(verb)
    if note:
        lines += [("", ""), (note, "warn")]
    choices = [Choice(CANCEL, "Cancel")]
    typed = ""
    label = f"{verb.capitalize()}"
    if verb is Verb.DOWN:
        choices.append(Choice(str(verb), "Down, keep volumes" if belongings.volumes else label, tone="error"))
        if belongings.volumes:
            count = len(belongings.volumes) + len(belongings.anonymous)
            noun = "volume" if count == 1 else "volumes"
            choices.append(Choice(WITH_VOLUMES, f"Down with {count} {noun}", tone="error", needs_typed=True))
            typed = project.name
    else:
        choices.append(Choice(str(verb), label, tone="warn"))
    return Confirmation(f"{_VERBS[verb]} {target.text}?", tuple(lines), tuple(choices), _OPTIONS.get(verb, ()), typed)


_NOTES = {
    Verb.UP: "Containers whose settings or image changed are made anew: what is written only in them is lost.",
    Verb.DOWN: "What the containers wrote outside of volumes and mounts is lost, and their logs.",
    Verb.BUILD: "What the files name is built and run in build containers; running containers stay as they are.",
}
_ORPHANS = Option("orphans", "Remove also containers of services the files do not have any more")
_OPTIONS: dict[Verb, tuple[Option, ...]] = {
    Verb.UP: (
        Option("build", "Build images first"),
        Option("recreate", "Make every container anew, changed or not"),
        _ORPHANS,
    ),
    Verb.DOWN: (_ORPHANS,),
}


def _losses(target: Target, belongings: Belongings) -> list[Line]:
    count = len(target.containers)
    lines: list[Line] = [(f"{count} containers are removed:" if count > 1 else "1 container is removed:", "strong")]
    lines += [(f"  {one.name}  {one.image}  {one.state}", "") for one in target.containers]
    if belongings.networks:
        lines.append(("Networks are removed, unless others use them:", "strong"))
        lines += [(f"  {name}", "") for name in belongings.networks]
    if belongings.volumes:
        lines.append(("Volumes stay, unless you choose that those its files declare go too:", "strong"))
        lines += [(f"  {name}", "dim") for name in belongings.volumes]
        if belongings.anonymous:
            lines.append(("and with them the containers' volumes without a name:", "strong"))
            lines += [(f"  {name}", "dim") for name in belongings.anonymous]
    return lines


def options_of(answer: Answer) -> ComposeOptions:
    """What was chosen in the question."""
    return ComposeOptions(
        build="build" in answer.options,
        recreate="recreate" in answer.options,
        orphans="orphans" in answer.options,
        volumes=answer.choice == WITH_VOLUMES,
    )
