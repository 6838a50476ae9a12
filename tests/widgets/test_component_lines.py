"""One component in full, as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.observation import Json
from console.model.views import ComponentDetail, TargetDetail
from tests.screens.sample import NOW, VERDICT, component
from widgets.component_lines import component_content, flat
from widgets.glyphs import UNICODE
from widgets.lines import plain, width_of
from widgets.outline import LINES, outline


def shown(detail: ComponentDetail, width: int = 100, brief: bool = False) -> str:
    return plain(component_content(detail, width, NOW, UNICODE, brief=brief))


def with_target(**changes: object) -> ComponentDetail:
    detail = component("application")
    target: TargetDetail = replace(detail.targets[0], **changes)  # type: ignore[arg-type]
    return replace(detail, targets=(target,))


@pytest.mark.parametrize("width", range(40, 200, 13))
@pytest.mark.parametrize("brief", [True, False])
def test_every_line_is_exactly_as_wide(width: int, brief: bool) -> None:
    assert {
        width_of(line) for line in component_content(component("application"), width, NOW, UNICODE, brief=brief)
    } == {width}


def test_it_tells_judgement_checks_figures_raw_answer_and_history() -> None:
    text = shown(component("application"))
    for words in (
        "its check of the database says fail: the check counts",
        "database       ✗ fail  connection refused",
        "latency",
        "RAW ANSWER  03:12:41 UTC, <5 s ago",
        '"timestamp": "2025-11-22T03:12:41Z"',
        "13 Nov 03:12:44",
        "failed (timeout), answered 40 s ago",
        "overdue",
    ):
        assert words in text


def test_figures_and_claims_are_told_in_words() -> None:
    text = shown(with_target(samples={"ok": 1.0, "memory_bytes": 25_276_510_208.0}))
    assert "answers as expected" in text and "yes" in text and "23.5 GiB" in text
    assert "claims environment" in text
    assert "no" in shown(with_target(samples={"ok": 0.0})).split("answers as expected")[1].split()[:1]


def test_its_own_reasons_stand_first() -> None:
    lines = component_content(component("routes"), 100, NOW, UNICODE, reasons=VERDICT.reasons[:1])
    text = plain(lines)
    assert "/api/v1/audits 38 % 5xx" in text and "began 40 s after deployment" in text
    assert text.index("38 % 5xx") < text.index("JUDGED SO BECAUSE")
    assert {width_of(line) for line in lines} == {100}


def test_beside_the_list_there_is_no_raw_answer() -> None:
    assert "RAW" not in shown(component("application"), 58, brief=True)


def test_a_huge_answer_is_cut_and_counted() -> None:
    text = shown(with_target(volatile={"raw": list(range(5000))}))
    assert text.count("\n") < LINES + 60 and "lines more" in text


def test_hostile_facts_stay_text() -> None:
    text = shown(
        with_target(facts={"checks": {"a\x1b[2J": {"status": "\x1b]52;c;x\x07", "message": "[/]"}}, "\x07": ["\x1b"]})
    )
    assert "\x1b" not in text and "\x07" not in text and "␛[2J" in text and "[/]" in text


@pytest.mark.parametrize("checks", [None, [], "pass", {"a": None}, {"a": {"status": 3}}])
def test_checks_of_any_shape_are_shown(checks: object) -> None:
    assert shown(with_target(facts={"checks": checks}))


BLOCKING: list[Json] = [
    {
        "root_pid": 4242,
        "root_user": "ci",
        "root_state": "idle in transaction",
        "root_query": "ALTER TABLE reviews ADD COLUMN x int",
        "root_age_s": 312.0,
        "waiters": [{"pid": 1, "query": "SELECT 1", "waits_s": 61.2, "ddl": True}],
        "queued": 7,
    }
]


def test_who_blocks_whom_is_told_in_words_beside_the_list_too() -> None:
    for brief in (True, False):
        text = shown(with_target(volatile={"blocking": BLOCKING, "sessions": []}), 58, brief=brief)
        assert "BLOCKING" in text and "SESSIONS" not in text
        assert "pid 4242  ci  idle in transaction for 5 m  7 queued" in text and "ALTER TABLE reviews" in text
        assert "waits    1 m  pid 1" in text and "changes the schema" in text


@pytest.mark.parametrize("value", [[{"root_pid": None}], [{"root_pid": 1, "waiters": [3, {}]}], [{}], {"a": 1}, "x", 3])
def test_chains_of_another_shape_are_shown_all_the_same(value: Json) -> None:
    assert "BLOCKING" in shown(with_target(volatile={"blocking": value}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.integers(20, 120))
def test_values_of_any_shape_become_lines_of_the_width(value: Json, width: int) -> None:
    assert all(width_of(line) == width for line in outline(value, width))


def test_a_body_of_json_is_laid_out_and_a_cut_one_shown_as_it_came() -> None:
    assert '   "a": 1' in plain(outline('{"a": 1}', 40))
    assert '{"a": [1, 2' in plain(outline('{"a": [1, 2', 40))


def test_nested_facts_become_dotted_names() -> None:
    assert dict(flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3})) == {"a.b": 1, "a.c.d": 2, "e": 3}
