"""A plan in a terminal of 24 lines: what is well gives way to what would be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.actions import ELSEWHERE, Check, CheckResult
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


LOST = tuple(f"{what} of the build that serves now: it stays as it is, and nobody puts it back" for what in (
    "the schema", "the environment", "the cron jobs", "a rotated secret",
))  # fmt: skip
AFTER = ("later pushes are built and do not go live until something is promoted: in the ledger",)


def rollback(height: int, warnings: int = 1, *, whole: bool = False) -> list[str]:
    """The plan as the demo has it: seven checks that passed, and so many that did not."""
    passed = tuple(Check(key=f"c{place}", result=CheckResult.PASS, words=f"well {place}") for place in range(7))
    warned = tuple(Check(key=f"w{place}", result=CheckResult.WARN, words=LONG) for place in range(warnings))
    made = replace(plan(), checks=(*passed, *warned), lost=LOST, afterwards=AFTER, options=())
    return plain(plan_rows(made, Look(80, height, NOW, NOW), whole=whole)).splitlines()


@pytest.mark.parametrize("warnings", [0, 1, 2])
def test_what_comes_of_it_stands_above_the_fold_in_24_lines(warnings: int) -> None:
    rows = rollback(18, warnings)
    seen = rows if len(rows) <= 18 else rows[:17]  # the last line then tells how many more there are
    text = " ".join(" ".join(row[20:] if row.startswith(" " * 20) else row for row in seen).split())
    for words in ("WILL NOT COME BACK", "a rotated secret of the build", "AFTERWARDS", "in the ledger", "UNDO",
                  "radar promote dpl_8f3c1d2"):  # fmt: skip
        assert words in text, "\n".join(seen)
    assert text.count("sixteen") == warnings


def test_where_one_line_each_is_too_much_what_passed_is_counted_and_all_is_told_on_request() -> None:
    assert "  ●  7 checks passed: w tells them" in [row.rstrip() for row in rollback(18)]
    assert not any("well 3" in row for row in rollback(18))
    every = rollback(18, whole=True)
    assert sum("well" in row for row in every) == 7 and not any("checks passed" in row for row in every)


def test_many_warnings_leave_the_steps_below_the_fold_not_the_consequences() -> None:
    rows = rollback(18, 3)
    places = [next(at for at, row in enumerate(rows) if row.startswith(f" {head}")) for head in ("UNDO", "STEPS")]
    assert places == sorted(places) and sum("1 s" in row or "s " in row for row in rows) >= 5


def test_where_what_is_well_is_counted_another_bastion_is_still_told_of() -> None:
    words = "against any other bastion only remote state protects"
    checks = [Check(key=f"c{place}", result=CheckResult.PASS, words=LONG) for place in range(6)]
    checks.insert(3, Check(key=ELSEWHERE, result=CheckResult.PASS, words=f"no other run here; {words}"))
    rows = plain(plan_rows(replace(plan(), checks=tuple(checks)), Look(80, 16, NOW, NOW))).splitlines()
    assert [row.strip() for row in rows if "bastion" in row] == [f"●  7 checks passed (w); {words}"]
