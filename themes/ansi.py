"""The terminal's own sixteen colours: fewest bytes, and the contrast that its owner chose."""

from themes.palette import Palette

ANSI = Palette(
    name="ansi",
    dark=True,
    ansi=True,
    text="ansi_default",
    dim="ansi_default",
    surface="ansi_default",
    selected="ansi_default",
    second="ansi_blue",
    third="ansi_magenta",
    accent="ansi_cyan",
    good="ansi_green",
    warn="ansi_yellow",
    bad="ansi_red",
    unknown="ansi_magenta",
    banner="ansi_default",
    banner_text="ansi_default",
)
