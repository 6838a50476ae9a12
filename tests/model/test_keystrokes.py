"""Typing is told from pasting by how close together the keys come."""

from __future__ import annotations

import pytest

from console.model.keystrokes import GAP_S, MANY, Burst, believed


def lengths(*times_s: float) -> list[int]:
    burst = Burst()
    return [burst.add(at_s) for at_s in times_s]


def test_keys_of_one_read_are_one_burst_and_the_next_stroke_begins_another() -> None:
    assert lengths(5.0, 5.0, 5.0, 5.001, 5.04) == [1, 2, 3, 4, 1]


def test_five_milliseconds_apart_is_typing() -> None:
    times = [1 + 0.005 * place for place in range(40)]
    assert set(lengths(*times)) == {1}
    assert lengths(*(1 + GAP_S * 0.99 * place for place in range(40)))[-1] == 40


@pytest.mark.parametrize(
    ("phrase", "most"), [("", 3), ("7", 1), ("12", 1), ("413", 2), ("c985", 3), ("production/radar_maintenance", 3)]
)
def test_the_whole_of_a_phrase_at_once_is_never_typing(phrase: str, most: int) -> None:
    assert believed(phrase) == most
    assert most < MANY and (len(phrase) < 2 or most < len(phrase))
