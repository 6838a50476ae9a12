"""The dark theme, the default."""

from themes.palette import Palette

DARK = Palette(
    name="dark",
    dark=True,
    text="#d7dde5",
    dim="#8a95a4",
    surface="#11151b",
    selected="#1d2733",
    accent="#6cb6ff",
    good="#6a9f6f",
    warn="#d9a441",
    bad="#f2665e",
    unknown="#a99bd6",
    banner="#d9a441",
    banner_text="#11151b",
)
