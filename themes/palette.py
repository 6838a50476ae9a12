"""A theme as the few colours that pages use, and how it becomes a Textual theme."""

from __future__ import annotations

from typing import NamedTuple

from textual.theme import Theme


class Palette(NamedTuple):
    """One accent, three state colours and unknown, two greys, two grounds; a banner."""

    name: str
    dark: bool
    text: str
    dim: str
    surface: str
    selected: str
    accent: str
    good: str
    warn: str
    bad: str
    unknown: str
    banner: str
    banner_text: str
    second: str = ""
    third: str = ""
    """Of lines beside the foremost one of a chart; without a colour of their own they are dim."""
    ansi: bool = False
    """The colours are the terminal's own sixteen."""


def theme_of(palette: Palette) -> Theme:
    """The Textual theme; its variables are what `shared.tcss` refers to."""
    return Theme(
        name=palette.name,
        dark=palette.dark,
        ansi=palette.ansi,
        primary=palette.accent,
        secondary=palette.accent,
        accent=palette.accent,
        foreground=palette.text,
        background=palette.surface,
        surface=palette.surface,
        panel=palette.selected,
        boost=palette.selected,
        success=palette.good,
        warning=palette.warn,
        error=palette.bad,
        variables={
            # Textual's own style sheet needs these two of a theme in the terminal's colours.
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "radar-dim": palette.dim,
            "radar-selected": palette.selected,
            "radar-second": palette.second or palette.dim,
            "radar-third": palette.third or palette.dim,
            "radar-good": palette.good,
            "radar-warn": palette.warn,
            "radar-bad": palette.bad,
            "radar-unknown": palette.unknown,
            "radar-accent": palette.accent,
            "radar-text": palette.text,
            "radar-surface": palette.surface,
            "radar-banner": palette.banner,
            "radar-banner-text": palette.banner_text,
        },
    )
