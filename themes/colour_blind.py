"""After the Okabe-Ito set: blue, orange and vermilion stay apart for the common kinds of colour blindness."""

from themes.palette import Palette

COLOUR_BLIND = Palette(
    name="colour-blind",
    dark=True,
    text="#d7dde5",
    dim="#8a95a4",
    surface="#11151b",
    selected="#1d2733",
    accent="#9fd0ff",
    good="#56b4e9",
    warn="#e69f00",
    bad="#e5732d",
    unknown="#cc79a7",
    banner="#e69f00",
    banner_text="#11151b",
)
