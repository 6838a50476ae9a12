"""Lines are exactly as wide as asked, whatever the text; nothing that a terminal obeys gets through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.lines import Line, Span, beside, blank, changed, cut, ends, fit, guard, plain, width_of, wrap

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


def _line(text: str) -> Line:
    return tuple(Span(character) for character in text)


@given(st.text("ab", min_size=8, max_size=8), st.text("ab", min_size=8, max_size=8))
def test_changed_covers_every_cell_that_differs(old: str, new: str) -> None:
    cells = changed(_line(old), _line(new))
    differing = [at for at in range(8) if old[at] != new[at]]
    if not differing:
        assert cells is None
    else:
        assert cells is not None and cells[0] == differing[0] and cells[1] == differing[-1] + 1


def test_changed_sees_a_tone_change_in_equal_text() -> None:
    assert changed((Span("a"), Span("b", "good")), (Span("a"), Span("b", "bad"))) == (1, 2)


def test_beside_fills_short_columns() -> None:
    lines = beside([([(Span("ab"),)], 2), ([], 3)], 2, gap=1)
    assert [width_of(line) for line in lines] == [6, 6]
    assert plain(lines) == "ab\n"


def test_plain_has_no_trailing_blanks() -> None:
    assert plain([(Span("a  "),), blank(5)]) == "a\n"
