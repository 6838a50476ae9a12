"""The sanitiser: nothing that a terminal obeys survives, nothing is silently lost, and time stays linear."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.text import MARKS_PER_BASE, clean, clean_block, decode, redact

CORPUS = json.loads((Path(__file__).parent.parent / "fixtures" / "terminal_escape_corpus.json").read_text("utf-8"))
HOSTILE = st.text(
    st.sampled_from(
        "ab1 [];mHc\t\n\r\x00\x07\x08\x1b\x7f\x85\x9b\x9d\xad\u0301\u200b\u200d\u202e\u2067\u2028\ufe0f\U000e0041"
    )
    | st.characters()
)


def is_harmless(text: str) -> bool:
    """Whether no character of it is a control, an invisible one, a surrogate or a line end."""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or is_bidi(character) for character in text
    )


def is_bidi(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN")


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["name"])
def test_the_corpus_is_neutralised_and_stays_visible(case: dict[str, object]) -> None:
    for cleaned in (clean(str(case["input"])), clean_block(str(case["input"]))):
        forbidden = case["must_not_contain"]
        assert isinstance(forbidden, list)
        assert not [text for text in forbidden if text in cleaned]
        assert cleaned != case["input"]


def test_the_check_of_harm_itself_finds_harm() -> None:
    assert not is_harmless("\x1b[31m")
    assert not is_harmless("a\u202eb")
    assert not is_harmless("\x9b31m")


@given(HOSTILE)
def test_a_line_is_harmless_single_and_bounded(text: str) -> None:
    line = clean(text, 40)
    assert is_harmless(line)
    assert len(line) <= 40
    assert clean(line, 40) == line


@given(HOSTILE)
def test_a_block_keeps_its_lines_and_nothing_else_that_moves_the_cursor(text: str) -> None:
    block = clean_block(text)
    assert is_harmless(block.replace("\n", ""))
    assert block.count("\n") == text.count("\n")


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80))
def test_ordinary_text_is_unchanged_but_for_its_outer_blanks(text: str) -> None:
    assert clean(text) == text.strip(" ")
    assert clean_block(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;QQ==\x07", "␛]52;c;QQ==\\x07"),
        ("\x1b]0;no terminator then an important word", "␛]0;no terminator then an important word"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a<U+202E>b"),
        ("adm\u200bin", "adm<U+200B>in"),
        ("a\U000e0041b", "a<U+E0041>b"),
        ("line one\nline two\r\nthree\n", "line one↵line two↵three"),
        ("over\rwritten", "over\\x0dwritten"),
        ("col\tumn", "col umn"),
        ("⚡️ perf", "⚡ perf"),
        ("broken \ud800 half", "broken \ufffd half"),
        ("żółć 日本語 ünï", "żółć 日本語 ünï"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_what_becomes_of(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_stacked_marks_are_capped_and_counted() -> None:
    assert clean("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * MARKS_PER_BASE + "<+46 marks>b"
    assert clean("a" + "\u0301" * MARKS_PER_BASE) == "a" + "\u0301" * MARKS_PER_BASE


@pytest.mark.parametrize("unit", ["x", "\x1b", "\x1b[", "\u0301", "\ud800", "\t", "a\u202e", "日\u0301"])
def test_a_megabyte_on_one_line_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        clean(text, size * 16)
        return time.process_time() - began

    small = min(seconds(125_000) for _ in range(3))
    assert seconds(1_000_000) < max(0.05, 24 * small)  # quadratic would be 64 times


def test_undecodable_bytes_become_visible() -> None:
    assert decode(b"\xef\xbb\xbfcaf\xc3\xa9 \xff") == "café \ufffd"
    assert clean(decode(b"\xc2\x9b31m")) == "\\x9b31m"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach postgres://app:hunter22@db.example.com:5432/x", "hunter22"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghi refused", "eyJzdWIiOiIxIn0"),
        ("sbp_0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
        ("https://hooks.slack.com/services/T000/B000/XXXX", "B000"),
        ('{"password": "correct-horse"}', "correct-horse"),
    ],
)
def test_well_known_secrets_are_hidden(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "(hidden" in redact(text)


def test_text_without_secrets_is_left_alone() -> None:
    text = "GET https://app.example.com:8443/login?next=/ 200; token bucket empty"
    assert redact(text) == text
