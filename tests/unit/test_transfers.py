from __future__ import annotations

import pytest

from backends.base import ActionError
from backends.docker.transfers import Layers, follow
from backends.progress import Progress


def layer(name: str, status: str, done: int | None = None, total: int | None = None) -> dict[str, object]:
    detail = {} if done is None else {"current": done, "total": total}
    return {"id": name, "status": status, "progressDetail": detail}


def told(*entries: dict[str, object]) -> Progress:
    layers = Layers("pulling")
    for entry in entries:
        layers.take(entry)
    return layers.progress


def test_the_end_is_known_when_every_layer_has_told_its_size():
    first = told(layer("a", "Pulling fs layer"), layer("b", "Waiting"), layer("a", "Downloading", 30, 100))
    assert (first.done, first.total, first.text) == (30, None, "pulling, 0 of 2 layers done")
    both = told(layer("a", "Downloading", 30, 100), layer("b", "Downloading", 10, 50), layer("c", "Already exists"))
    assert (both.done, both.total, both.text) == (40, 150, "pulling, 1 of 3 layers done")


def test_unpacking_comes_after_the_bytes():
    steps = [
        layer("a", "Downloading", 100, 100),
        layer("a", "Verifying Checksum"),
        layer("a", "Download complete"),
        layer("a", "Extracting", 32, 100),
    ]
    at = told(*steps)
    assert (at.done, at.total, at.text) == (100, 100, "pulling, 0 of 1 layers done")
    assert (at.parts[0].text, at.parts[0].done, at.parts[0].total) == ("Extracting", 32, 100)
    end = told(*steps, layer("a", "Pull complete"))
    assert end.text == "pulling, 1 of 1 layers done"
    assert (end.parts[0].done, end.parts[0].total) == (100, 100)


def test_a_layer_pushes_more_than_it_announced():
    at = told(layer("a", "Pushing", 140, 100), layer("b", "Mounted from team/base"), layer("c", "Layer already exists"))
    assert (at.done, at.total, at.text) == (100, 100, "pulling, 2 of 3 layers done")


def test_odd_news_are_borne():
    at = told(layer("a", "Downloading", -1, 5), {"id": "b", "status": "Downloading", "progressDetail": "x"}, {"id": 3})
    assert [part.name for part in at.parts] == ["a", "b"]
    assert at.done == 0


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def progress(self, progress: Progress) -> None:
        pass

    def line(self, text: str) -> None:
        self.lines.append(text)


def test_the_result_is_the_last_that_was_said_and_texts_are_clean():
    report = Told()
    entries = [{"status": "Pulling from team/\x1b[31mapp", "id": "1"}, {"status": "Status: Downloaded newer image"}]
    assert follow(entries, report, "pulling") == "Status: Downloaded newer image"
    assert report.lines == ["Pulling from team/app", "Status: Downloaded newer image"]


@pytest.mark.parametrize("entry", [{"error": "no\x1b[2Jspace"}, {"errorDetail": {"message": "nospace"}}])
def test_an_error_in_the_stream_is_one(entry):
    with pytest.raises(ActionError, match=r"^nospace$"):
        follow([{"status": "x"}, entry], Told(), "pulling")
