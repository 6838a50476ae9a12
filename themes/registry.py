"""All themes by name."""

from __future__ import annotations

from pathlib import Path

from themes.ansi import ANSI
from themes.colour_blind import COLOUR_BLIND
from themes.dark import DARK
from themes.light import LIGHT
from themes.palette import Palette

PALETTES: tuple[Palette, ...] = (DARK, LIGHT, ANSI, COLOUR_BLIND)
NAMES = tuple(palette.name for palette in PALETTES)
SHARED_CSS = Path(__file__).with_name("shared.tcss")


def named(theme: str) -> str:
    """The theme that a setting means: `auto` is the first one, where the terminal has enough colours."""
    return theme if theme in NAMES else NAMES[0]
