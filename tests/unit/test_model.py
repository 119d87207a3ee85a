"""What the other layers rely on in the data that crosses them."""

from __future__ import annotations

import dataclasses
import json

import pytest

from backends import model
from backends.model import ActionOptions, Container, Kind, Ref, State, image_users

CLASSES = [value for value in vars(model).values() if dataclasses.is_dataclass(value) and isinstance(value, type)]


def container(engine: str, name: str, image_id: str) -> Container:
    return Container(
        Ref(engine, Kind.CONTAINER, name), name, "nginx", image_id, "nginx", State.RUNNING, "running", created=0.0
    )


@pytest.mark.parametrize("data", CLASSES)
def test_data_between_layers_is_frozen_and_slotted(data: type) -> None:
    assert data.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(data)


def test_equal_listings_compare_equal_and_hash() -> None:
    assert container("a", "web", "1") == container("a", "web", "1")
    assert container("a", "web", "1") != container("b", "web", "1")
    assert len({container("a", "web", "1"), container("a", "web", "1")}) == 1


def test_image_users_are_told_apart_by_engine_and_sorted() -> None:
    boxes = [
        container("a", "web", "1"),
        container("a", "api", "1"),
        container("b", "web", "1"),
        container("a", "db", "2"),
    ]
    assert image_users(boxes) == {("a", "1"): ("api", "web"), ("b", "1"): ("web",), ("a", "2"): ("db",)}


def test_default_options_destroy_least() -> None:
    options = ActionOptions()
    assert not options.force
    assert not options.volumes
    assert options.disks == ()


def test_words_of_the_model_are_plain_text() -> None:
    assert json.dumps({State.RUNNING: Kind.VM}) == '{"running": "vm"}'
    assert f"{State.RUNNING}" == "running"
