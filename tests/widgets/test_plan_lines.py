"""A plan in a terminal of 24 lines: what is well gives way to what would be done."""

from __future__ import annotations

from dataclasses import replace

from console.model.actions import Check, CheckResult
from tests.screens.sample import NOW
from tests.screens.sample_actions import plan
from widgets.lines import plain
from widgets.plan_lines import Look, plan_rows

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


def shown(height: int, result: CheckResult = CheckResult.PASS, *, whole: bool = False) -> list[str]:
    checks = tuple(Check(key=f"c{place}", result=result, words=LONG) for place in range(5))
    look = Look(80, height, NOW, NOW)
    return plain(plan_rows(replace(plan(), checks=checks), look, whole=whole)).splitlines()


def test_what_is_well_takes_one_line_where_there_is_no_room_for_its_words() -> None:
    rows = shown(17)
    assert len([row for row in rows if "one two" in row and row.rstrip().endswith("…")]) == 5
    assert sum("sixteen" in row for row in rows) == 0
    assert any(row.startswith(" WILL NOT COME BACK") for row in rows[:17])


def test_where_there_is_room_or_it_is_asked_for_nothing_is_cut() -> None:
    for rows in (shown(60), shown(17, whole=True)):
        assert sum("sixteen" in row for row in rows) == 5


def test_what_warns_is_never_cut() -> None:
    assert sum("sixteen" in row for row in shown(17, CheckResult.WARN)) == 5
