"""Lines are exactly as wide as asked, whatever the text; nothing that a terminal obeys gets through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.lines import Span, beside, blank, changed, cut, ends, fit, guard, plain, width_of, wrap

TEXT = st.text(max_size=40)
WIDTH = st.integers(0, 50)


@given(TEXT, WIDTH, st.sampled_from(["left", "right"]))
def test_fit_gives_exactly_the_width(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width  # type: ignore[arg-type]


@given(st.lists(TEXT, max_size=5), WIDTH)
def test_cut_gives_exactly_the_width(texts: list[str], width: int) -> None:
    assert width_of(cut([Span(text) for text in texts], width)) == width


@given(TEXT, TEXT, WIDTH)
def test_ends_gives_exactly_the_width_and_keeps_the_right_end(left: str, right: str, width: int) -> None:
    assert width_of(ends([Span(left)], [Span(right)], width)) == width


def test_the_left_end_gives_way_to_the_right_one() -> None:
    assert plain([ends([Span("production=abcdref")], [Span("LIVE")], 12)]) == "produc… LIVE\n"


@given(TEXT)
def test_guard_leaves_nothing_that_a_terminal_obeys(text: str) -> None:
    assert guard(text).isprintable()


def test_guard_shows_escapes_instead_of_losing_them() -> None:
    assert guard("a\x1b[31mb\x07\x7f\u202e") == "a␛[31mb␇␡�"


@given(TEXT.filter(str.isprintable), st.integers(2, 30))
def test_wrap_keeps_every_word_in_lines_that_fit(text: str, width: int) -> None:
    rows = wrap(text, width)
    assert all(cell_len(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


@given(st.text("ab✗漢", max_size=30), st.text("ab✗漢", max_size=30))
def test_changed_covers_every_cell_that_differs(old: str, new: str) -> None:
    before, after = (Span(fit(old, 60)),), (Span(fit(new, 60)),)
    covered = {cell for begin, end in changed(before, after) for cell in range(begin, end)}
    cells = [list(_columns(line[0].text)) for line in (before, after)]
    assert {at for at in range(60) if cells[0][at] != cells[1][at]} <= covered
    assert (covered == set()) == (before == after)


def _columns(text: str) -> list[str]:
    return [character for character in text for _ in range(cell_len(character))]


def test_changed_sees_a_tone_change_in_equal_text() -> None:
    assert changed((Span("a"), Span("b", "good")), (Span("a"), Span("b", "bad"))) == [(1, 2)]


def test_changes_far_apart_are_sent_apart_and_near_ones_together() -> None:
    old, far, near = "a" * 60, "b" + "a" * 58 + "b", "b" + "a" * 5 + "b" + "a" * 53
    assert changed((Span(old),), (Span(far),)) == [(0, 1), (59, 60)]
    assert changed((Span(old),), (Span(near),)) == [(0, 7)]


def test_beside_fills_short_columns() -> None:
    lines = beside([([(Span("ab"),)], 2), ([], 3)], 2, gap=1)
    assert [width_of(line) for line in lines] == [6, 6]
    assert plain(lines) == "ab\n"


def test_plain_has_no_trailing_blanks() -> None:
    assert plain([(Span("a  "),), blank(5)]) == "a\n"


def test_wrapping_parts_no_number_from_its_unit() -> None:
    assert wrap("idle for 12 m, then gone", 11) == ["idle for", "12 m, then", "gone"]
