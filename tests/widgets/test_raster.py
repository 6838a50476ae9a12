"""plotext meets every dot; what is late stays late."""

from __future__ import annotations

import subprocess
import sys

import pytest

from widgets.raster import BLANK, Run, ascii_of, braille, merged


def bits(character: str) -> int:
    return ord(character) - ord(BLANK)


@pytest.mark.parametrize(("width", "height"), [(2, 2), (10, 4), (150, 20)])
def test_every_point_meets_its_own_dot(width: int, height: int) -> None:
    dots = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
    for x in {0, 1, width, 2 * width - 1}:
        for y in {0, 1, 2, 3, 2 * height, 4 * height - 1}:
            rows = braille((Run(((x, y),)),), width, height)
            assert (len(rows), {len(row) for row in rows}) == (height, {width})
            assert bits(rows[height - 1 - y // 4][x // 2]) == dots[y % 4][x % 2]
            assert sum(bits(character) > 0 for row in rows for character in row) == 1


def test_a_joined_run_has_no_hole_and_two_runs_have() -> None:
    joined = braille((Run(((0, 0), (19, 0))),), 10, 4)
    assert BLANK not in joined[-1]
    parted = braille((Run(((0, 0), (5, 0))), Run(((14, 0), (19, 0)))), 10, 4)
    assert parted[-1][4] == BLANK
    points = braille((Run(((0, 0), (19, 0)), joined=False),), 10, 4)
    assert points[-1].count(BLANK) == 8


def test_it_is_wider_than_the_terminal_of_the_tests() -> None:
    rows = braille((Run(((0, 0), (599, 199))),), 300, 50)
    assert (len(rows), len(rows[0])) == (50, 300)


def test_nothing_is_blank() -> None:
    assert braille((), 4, 2) == (BLANK * 4,) * 2


def test_dots_are_added_and_have_an_ascii_sign() -> None:
    assert merged("⠁", "⢀") == "⢁"
    assert all(ascii_of(chr(code)).isascii() and len(ascii_of(chr(code))) == 1 for code in range(0x2800, 0x2900))
    assert [ascii_of(sign) for sign in (BLANK, "⠉", "⣀", "⡇")] == [" ", "'", "_", "|"]


def test_plotext_is_not_imported_before_something_is_drawn() -> None:
    code = "import sys, widgets.chart; assert 'plotext' not in sys.modules; import widgets.raster as r; r.warm(); "
    code += "assert 'plotext' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
