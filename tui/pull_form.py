"""The one form every pull begins with, however its image was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends import references
from backends.abilities.images import Pull
from backends.model import Image, Kind
from backends.progress import Report
from tui.tasks import Task
from widgets.form import Form, TextField, Values

if TYPE_CHECKING:
    from tui.handlers.area import Area


async def ask_reference(area: Area, engine: str, reference: str) -> bool:
    """Ask which image to pull and start it in the background; False when the user left the form."""
    reason = area.app.store.barred.get(engine)
    if reason:
        area.main.say(f"pull: {reason}.", "warn")
        return True
    images = area.app.store.of_kind(Kind.IMAGE)
    names = sorted({tag for item in images if isinstance(item, Image) for tag in item.tags})
    field = TextField(
        "reference", "Image", reference, "name:tag or host:5000/team/app:1.2", "Without a tag it is latest."
    )
    program = program_of(area, engine)
    form = Form(
        f"Pull to {engine}",
        (field,),
        submit="Pull",
        check=_check,
        preview=lambda values: f"{program} pull {values['reference']}",
        suggest={"reference": names},
        glyphs=area.glyphs,
    )
    values = await area.ask(form)
    if values is None:
        return False
    start_pull(area, engine, references.parse(str(values["reference"])).full)
    return True


def start_pull(area: Area, engine: str, reference: str) -> Task:
    """Pull in the background; one pull of a name at a time."""
    for task in area.app.tasks.under_way:
        if (task.verb, task.target, task.engine) == ("pull", reference, engine):
            area.main.say(f"{task.title} is under way already.")
            return task
    able = area.able(engine, Pull)

    async def work(report: Report) -> str:
        return await able.pull(reference, report)

    area.main.say(f"Pulling {reference} in the background.")
    return area.app.tasks.start("pull", reference, engine, work)


def program_of(area: Area, engine: str) -> str:
    """The command line program whose words are shown for an engine."""
    found = area.app.store.engines.get(engine)
    return "podman" if found and found.info and found.info.product == "podman" else "docker"


def _check(values: Values) -> dict[str, str]:
    try:
        references.parse(str(values["reference"]))
    except ValueError as error:
        return {"reference": str(error)}
    return {}
