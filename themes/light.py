"""The light theme: paper, not glare; the state colours darkened until they read at 4.5:1 on the selected line too."""

from themes.palette import Palette

LIGHT = Palette(
    name="light",
    dark=False,
    text="#1f2630",
    dim="#565f6b",
    surface="#f7f6f2",
    selected="#e1e7ee",
    accent="#0b57a4",
    good="#3a6b40",
    warn="#7d5200",
    bad="#b3261e",
    unknown="#5f4b9b",
    banner="#7d5200",
    banner_text="#f7f6f2",
)
