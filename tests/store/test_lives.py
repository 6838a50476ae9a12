"""What served when and how often, what is held against it from then, and who pinned it by what the journal tells."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.configuration import Secret, Vercel
from console.model.deployment_rules import assign_words, deeds_for_deployment
from console.model.deployments import DeploymentRow, DeploymentsView
from console.model.judgement import Judgement
from console.model.observation import Json, Observation, Origin
from console.model.states import State
from console.model.views import Reason, Verdict
from console.store.names import HOUR_MS
from console.store.records import Records
from tests.store.charts import BEGIN_MS, SETTINGS, Charts
from tests.store.samples import judged, observed
from tests.store.test_deployments import item, live, named, vercel

ENVIRONMENT = replace(SETTINGS, vercel=Vercel(token=Secret("t"), project="p"))
MINUTE_MS = 60_000


@pytest.fixture
def charts(tmp_path: Path) -> Charts:
    return Charts(tmp_path, ENVIRONMENT)


def verdict(cause: str, since_ms: int, component: str = "routes") -> Verdict:
    """One reason."""
    reason = Reason(
        key="routes./pricing.errors", state=State.UNHEALTHY, component=component, text="/pricing 100 % 5xx",
        since_ms=since_ms, origin=Origin.PROBE, cause=cause,
    )  # fmt: skip
    return Verdict(state=State.UNHEALTHY, reasons=(reason,), whose="us", whose_words="ours", next_steps=())


def judge(charts: Charts, found: Verdict) -> None:
    """A round that comes to that verdict."""
    now_ms = charts.clock.pass_ms(5000)
    judgement = replace(judged(now_ms), at_ms=now_ms, verdict=found)
    assert isinstance(judgement, Judgement)
    charts.store.write_round(charts.lease, now_ms, [observed("host", samples={})], judgement, {"host": 5.0})


def serve(charts: Charts, name: str, kind: str = "deployment", created: int = 0) -> int:
    """Goes live now; gives when."""
    now_ms = charts.clock.wall
    told = live(name, now_ms, kind)
    charts.event(replace(told, data=dict(told.data) | {"created_ms": BEGIN_MS + created}))
    return now_ms


def rows(charts: Charts, *items: dict[str, Json], production: str) -> dict[str, DeploymentRow]:
    charts.round(vercel(*items, production=production))
    return named(charts.reader.deployments(None))


def test_a_time_of_seconds_does_not_wipe_out_the_hours_before(charts: Charts) -> None:
    serve(charts, "good")
    charts.clock.pass_ms(HOUR_MS)
    serve(charts, "new", created=1)
    charts.clock.pass_ms(4000)
    serve(charts, "good", "rollback")
    charts.clock.pass_ms(4000)
    serve(charts, "new", created=1)
    found = rows(charts, item("good"), item("new", 1), production="new")
    assert found["good"].served_ms is not None and found["good"].served_ms // 1000 == 3604
    assert found["new"].note == "" and found["good"].note.startswith("rolled back to"), "it serves again"


def test_what_the_verdict_blamed_for_a_fault_is_known_however_shortly_it_lived(charts: Charts) -> None:
    serve(charts, "good")
    charts.clock.pass_ms(HOUR_MS)
    live_ms = serve(charts, "bad", created=1)
    charts.clock.pass_ms(8000)
    judge(charts, verdict('began 4 s after deployment bad "pricing" (mira 03:03): likely', live_ms + 4000))
    serve(charts, "fixed", created=2)
    found = rows(charts, item("good"), item("bad", 1), item("fixed", 2), production="fixed")
    assert (found["bad"].amiss, found["bad"].passed) == ("/pricing 100 % 5xx", "/pricing 100 % 5xx")
    assert (found["good"].amiss, found["good"].passed) == ("", "")
    view = charts.reader.deployments(None)
    assert deeds_for_deployment(view, found["fixed"])[0].request.parameters == {"to": "dpl_good"}


@pytest.mark.parametrize(
    ("cause", "component", "words", "passed"),
    [
        ("began 4 min after deployment bad (mira 03:03): possibly", "routes", "/pricing 100 % 5xx", False),
        ("began 4 s after deployment other (mira 03:03): likely", "routes", "", False),
        ("began 4 s after deployment bad (mira 03:03): likely", "database", "", False),
        ("likely follows from database down", "routes", "", False),
    ],
)
def test_what_is_not_its_doing_is_not_held_against_it(
    charts: Charts, cause: str, component: str, words: str, passed: bool
) -> None:
    live_ms = serve(charts, "bad", created=1)
    charts.clock.pass_ms(8000)
    judge(charts, verdict(cause, live_ms + 4000, component))
    serve(charts, "fixed", created=2)
    found = rows(charts, item("bad", 1), item("fixed", 2), production="fixed")["bad"]
    assert (found.amiss, bool(found.passed)) == (words, passed)


def test_minutes_of_serving_well_afterwards_clear_it(charts: Charts) -> None:
    live_ms = serve(charts, "bad", created=1)
    charts.clock.pass_ms(8000)
    judge(charts, verdict("began 4 s after deployment bad (mira 03:03): likely", live_ms + 4000))
    serve(charts, "good", "rollback")
    charts.clock.pass_ms(HOUR_MS)
    serve(charts, "bad", created=1)
    charts.clock.pass_ms(10 * MINUTE_MS)
    serve(charts, "next", created=3)
    found = rows(charts, item("good"), item("bad", 1), item("next", 3), production="next")["bad"]
    assert (found.amiss, found.passed) == ("", "")


def test_going_back_by_a_promotion_is_told_and_going_forth_is_not(charts: Charts) -> None:
    for name, created in (("old", 0), ("new", 5), ("old", 0)):
        serve(charts, name, created=created)
        charts.clock.pass_ms(MINUTE_MS)
    found = rows(charts, item("old"), item("new", 5), production="old")
    assert found["new"].passed.startswith("production went back from it")
    serve(charts, "new", created=5)
    charts.clock.pass_ms(MINUTE_MS)
    serve(charts, "newest", created=9)
    again = rows(charts, item("old"), item("new", 5), item("newest", 9), production="newest")
    assert (again["new"].passed, again["old"].passed) == ("", "")


# Who pinned production


def pinned(to: str, asked_ms: int, kind: str = "rollback") -> Observation:
    job: Json = {"type": kind, "status": "succeeded", "from": "dpl_new", "to": f"dpl_{to}", "requested_ms": asked_ms}
    return vercel(item("old"), item("new", 1), production="old", auto_assign=False, last_alias_request=job)


def run_of(directory: Path, outcome: str, target: str, began_ms: int) -> None:
    """A rollback of ours in the journal, which holds nothing in the ledger."""
    records = Records(directory / "records.db")
    records.request_poll()  # makes the file
    records.close()
    with sqlite3.connect(directory / "records.db") as connection:
        connection.execute(
            "INSERT INTO run(token, began_ms, action, title, target, risk, plan, reason, operator, operator_uid, "
            "authority, host, pid, boot_id, ended_ms, outcome) VALUES ('t', ?, 'rollback', 'r', ?, 'disruptive', '{}', "
            "'why', 'op2 (uid)', 1, 'g', 'h', 1, 'b', ?, ?)",
            (began_ms, target, began_ms + 1, outcome),
        )


def told(charts: Charts, observation: Observation) -> DeploymentsView:
    charts.round(observation)
    return charts.reader.deployments(None)


def test_a_run_that_was_closed_and_whose_rollback_took_place_has_pinned_it(charts: Charts, tmp_path: Path) -> None:
    run_of(tmp_path, "closed", "old (dpl_old)", BEGIN_MS)
    view = told(charts, pinned("old", BEGIN_MS + 2000))
    assert view.pinned_by == "op2 (uid)" and assign_words(view).startswith("PINNED by op2's rollback")
    assert told(charts, pinned("old", BEGIN_MS - HOUR_MS)).pinned_by is None, "asked for long before our run"
    assert told(charts, pinned("old", BEGIN_MS + 2000, "promote")).pinned_by is None


@pytest.mark.parametrize(("outcome", "target"), [("not done", "old (dpl_old)"), ("closed", "x (dpl_x)")])
def test_a_rollback_that_is_not_ours_is_nobodys_choice_either(
    charts: Charts, tmp_path: Path, outcome: str, target: str
) -> None:
    run_of(tmp_path, outcome, target, BEGIN_MS)
    view = told(charts, pinned("old", BEGIN_MS + 2000))
    assert view.pinned_by is None and "PINNED by a rollback that our records do not hold" in assign_words(view)


def test_whose_it_is_is_not_known_while_the_records_cannot_be_read(charts: Charts, tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"no database" * 500)
    view = told(charts, vercel(item("old"), production="old", auto_assign=False))
    assert view.records_unread and "by whom is not known" in assign_words(view)
    assert "may be ours" in assign_words(told(charts, pinned("old", BEGIN_MS)))


def test_the_ledger_has_a_pin_that_no_record_of_ours_holds(charts: Charts, tmp_path: Path) -> None:
    """As after a rollback that was recorded in a second place, when the glass was broken."""
    told(charts, pinned("old", BEGIN_MS))
    (found,) = charts.reader.health(None).header.open_items
    assert (found.kind, found.undo) == ("pinned", "radar promote dpl_new")
    assert found.text == "by a rollback to old that our records do not hold" and found.since_ms == BEGIN_MS
    run_of(tmp_path, "unknown", "old (dpl_old)", BEGIN_MS)
    with sqlite3.connect(tmp_path / "records.db") as connection:
        connection.execute("UPDATE run SET ended_ms = NULL")
    assert [item.kind for item in charts.reader.health(None).header.open_items] == ["unknown"]
    told(charts, vercel(item("old"), production="old", auto_assign=False))
    assert "pinned" not in {item.kind for item in charts.reader.health(None).header.open_items}, "somebody's choice"


def test_what_was_told_before_our_promotion_ended_the_pin_is_no_second_pin(charts: Charts, tmp_path: Path) -> None:
    """The ledger is read right after; the next poll comes in a while."""
    told(charts, pinned("old", BEGIN_MS))
    with sqlite3.connect(tmp_path / "records.db") as connection:
        Records.open(tmp_path / "records.db").close()
        connection.execute(
            "INSERT INTO holding(kind, subject, text, owner, began_ms, undo, ended_ms) "
            "VALUES('pinned', 'p', 't', 'o', ?, '', ?)",
            (BEGIN_MS, charts.clock.wall),
        )
    assert charts.reader.health(None).header.open_items == ()
    charts.clock.pass_ms(60_000)
    told(charts, pinned("old", BEGIN_MS))
    assert [item.kind for item in charts.reader.health(None).header.open_items] == ["pinned"], "told since, too"
