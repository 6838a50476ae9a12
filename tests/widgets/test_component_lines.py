"""One component in full, as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.views import ComponentDetail, TargetDetail
from tests.screens.scripted import NOW, component
from widgets.component_lines import RAW_LINES, component_content, flat
from widgets.glyphs import UNICODE
from widgets.lines import plain, width_of


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
        "latency_ms",
        "RAW ANSWER  2025-11-22 03:12:41 UTC",
        '"timestamp": "2025-11-22T03:12:41Z"',
        "13 Nov 03:12:44",
        "failed (timeout), answered 40 s ago",
        "overdue",
    ):
        assert words in text


def test_beside_the_list_there_is_no_raw_answer() -> None:
    assert "RAW" not in shown(component("application"), 58, brief=True)


def test_a_huge_answer_is_cut_and_counted() -> None:
    text = shown(with_target(volatile={"raw": list(range(5000))}))
    assert text.count("\n") < RAW_LINES + 60 and "lines more" in text


def test_hostile_facts_stay_text() -> None:
    text = shown(
        with_target(facts={"checks": {"a\x1b[2J": {"status": "\x1b]52;c;x\x07", "message": "[/]"}}, "\x07": ["\x1b"]})
    )
    assert "\x1b" not in text and "\x07" not in text and "␛[2J" in text and "[/]" in text


@pytest.mark.parametrize("checks", [None, [], "pass", {"a": None}, {"a": {"status": 3}}])
def test_checks_of_any_shape_are_shown(checks: object) -> None:
    assert shown(with_target(facts={"checks": checks}))


def test_nested_facts_become_dotted_names() -> None:
    assert dict(flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3})) == {"a.b": 1, "a.c.d": 2, "e": 3}
