"""`@value` is what a frozen dataclass with slots is: made from keywords, equal by its fields, never changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import pytest

from console.model.value import value


@value
class Place:
    """Where something is."""

    name: str
    floor: int = 0
    marks: Mapping[str, int] = field(default_factory=dict)


@value
class Kept:
    """A field that is neither shown nor compared."""

    name: str
    secret: str = field(default="", repr=False, compare=False)


@value
class Lone:
    """One field: its value is compared as it is."""

    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What `Place` must be like."""

    name: str
    floor: int = 0
    marks: Mapping[str, int] = field(default_factory=dict)


def test_it_is_made_shown_and_compared_as_a_frozen_dataclass_is() -> None:
    given: dict[str, Any] = {"name": "hall", "marks": {"a": 1}}
    assert repr(Place(**given)) == repr(Model(**given)).replace("Model", "Place")
    assert Place(**given) == Place(**given)
    assert Place(**given) != Place(name="hall")
    other: object = Model(**given)
    assert Place(**given) != other
    assert hash(Lone(words=("a",))) == hash(Lone(words=("a",)))
    assert dataclasses.asdict(Place(**given)) == dataclasses.asdict(Model(**given))


def test_a_field_can_be_left_out_of_what_is_shown_and_compared() -> None:
    assert repr(Kept(name="key", secret="word")).endswith("Kept(name='key')")
    assert Kept(name="key", secret="word") == Kept(name="key", secret="other")
    assert Kept(name="key") != Kept(name="lock")


def test_a_default_that_is_made_is_made_for_each() -> None:
    assert Place(name="one").marks is not Place(name="two").marks


def test_a_copy_with_another_field_leaves_the_first_as_it_was() -> None:
    first = Place(name="hall", floor=1)
    assert dataclasses.replace(first, floor=2) == Place(name="hall", floor=2)
    assert first.floor == 1


@pytest.mark.parametrize("name", ["floor", "unheard_of"])
def test_nothing_of_it_can_be_changed_or_taken_away(name: str) -> None:
    place = Place(name="hall")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(place, name, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(place, name)
    assert not hasattr(place, "__dict__")


def test_what_is_missing_and_what_is_unknown_are_named() -> None:
    kind: Any = Place
    with pytest.raises(TypeError, match=r"missing \['name'\], unknown \[\]"):
        kind(floor=1)
    with pytest.raises(TypeError, match=r"missing \[\], unknown \['flor'\]"):
        kind(name="hall", flor=1)
    with pytest.raises(TypeError):
        kind("hall")
