"""Colours and signs: contrast, one cell each, ASCII where asked for."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len
from textual.color import Color

from console.model.states import State
from themes.palette import Palette
from themes.registry import PALETTES
from widgets.glyphs import ASCII, SETS, UNICODE, Glyphs

LEAST_CONTRAST = 4.5
MEASURED = [palette for palette in PALETTES if not palette.ansi]
INKS = ("text", "dim", "accent", "good", "warn", "bad", "unknown")


def contrast(one: str, other: str) -> float:
    """WCAG 2: the ratio of relative luminances."""

    def luminance(colour: str) -> float:
        channels = [part / 255 for part in Color.parse(colour).rgb]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", MEASURED, ids=lambda palette: palette.name)
@pytest.mark.parametrize("ground", ["surface", "selected"])
def test_every_ink_reads_on_every_ground(palette: Palette, ground: str) -> None:
    for ink in INKS:
        ratio = contrast(getattr(palette, ink), getattr(palette, ground))
        assert ratio >= LEAST_CONTRAST, f"{ink} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("palette", MEASURED, ids=lambda palette: palette.name)
def test_the_banner_reads(palette: Palette) -> None:
    assert contrast(palette.banner_text, palette.banner) >= LEAST_CONTRAST


def test_the_measure_itself_fails_grey_on_grey() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#888888") < LEAST_CONTRAST


@pytest.mark.parametrize("palette", MEASURED, ids=lambda palette: palette.name)
def test_state_colours_differ(palette: Palette) -> None:
    inks = [palette.good, palette.warn, palette.bad, palette.unknown, palette.accent]
    assert all(one != other for one, other in itertools.combinations(inks, 2))


def _signs(glyphs: Glyphs) -> list[str]:
    singles = [glyphs.bar, glyphs.ellipsis, glyphs.dash, glyphs.rule, glyphs.up, glyphs.down]
    drawn = [glyphs.mark, *glyphs.marks.values(), glyphs.axis, glyphs.tick, glyphs.dashed, *glyphs.shades]
    return [*glyphs.state.values(), *glyphs.strip.values(), *singles, *drawn]


@pytest.mark.parametrize("name", SETS)
def test_every_sign_is_one_cell(name: str) -> None:
    assert all(cell_len(sign) == 1 and len(sign) == 1 for sign in _signs(SETS[name]))


def test_the_ascii_set_is_ascii() -> None:
    assert all(sign.isascii() for sign in _signs(ASCII))


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_states_are_told_apart_without_colour(glyphs: Glyphs) -> None:
    assert len({glyphs.state[state] for state in State}) == len(State)
