"""Deployments and CI runs as they were known at a moment, and what a deployment did before and after."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.model.configuration import Environment, Secret, Vercel
from console.model.deployment_rules import assign_words
from console.model.deployments import DeploymentRow, DeploymentsView
from console.model.observation import ErrorKind, Event, Json, Observation, Outcome
from console.model.states import State
from console.store.names import DAY_MS, HOUR_MS
from console.store.read import StoreReader
from console.store.records import Records
from tests.store.charts import BEGIN_MS, SETTINGS, Charts
from tests.store.samples import observed

ENVIRONMENT = replace(SETTINGS, vercel=Vercel(token=Secret("t"), project="p"))
LIVE_MS = BEGIN_MS + 30_000


def item(name: str, created: int = 0, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"dpl_{name}", "short": name, "message": f"change {name}", "author": "mira", "target": "production",
        "state": "ready", "created_ms": BEGIN_MS + created, "live_ms": BEGIN_MS + created, "ever_live": True,
        "candidate": True, "branch": "main",
    }  # fmt: skip
    return given | more


def vercel(*items: dict[str, Any], production: str | None = None, **more: Any) -> Observation:
    """What the source gives: `production` is the name of the current one."""
    live = next((each for each in items if each["short"] == production), None)
    facts = {"production": live, "auto_assign": True, "rolling_release": False, "last_alias_request": None} | more
    return observed("vercel", facts=facts, samples={}, volatile={"deployments": list(items)})


def live(name: str, at_ms: int, kind: str = "deployment", author: str = "mira") -> Event:
    data: dict[str, Any] = {"id": f"dpl_{name}", "short": name, "message": f"change {name}", "author": author}
    return Event(
        at_ms=at_ms, kind=kind, subject="vercel", text=f"{name} live", key=f"{kind}/dpl_{name}/live/{at_ms}", data=data
    )


def github(*runs: dict[str, Any]) -> Observation:
    return observed("github", facts={}, samples={}, volatile={"runs": list(runs)})


def refused(target: str) -> Observation:
    return replace(
        observed(target, State.UNKNOWN, outcome=Outcome.FORBIDDEN, error_kind=ErrorKind.CREDENTIALS, samples={}),
        words="answers 403: bad credentials",
    )


def named(view: DeploymentsView) -> dict[str, DeploymentRow]:
    return {row.short: row for row in view.deployments}


@pytest.fixture
def charts(tmp_path: Path) -> Charts:
    return Charts(tmp_path, ENVIRONMENT)


def test_without_a_store_and_without_settings_the_view_says_what_would_fill_it(tmp_path: Path) -> None:
    def words(environment: Environment) -> tuple[str, str]:
        view = StoreReader(tmp_path / "o.db", tmp_path / "r.db", environment, None).deployments(None)
        assert (view.deployments, view.runs) == ((), ())
        return view.deployments_words, view.runs_words

    assert words(ENVIRONMENT)[0].startswith("Nothing has been observed yet")
    assert words(SETTINGS)[0].startswith("Vercel is not configured: [environments.test.vercel]")
    assert words(SETTINGS)[1].startswith("Nothing has been observed yet")


def test_what_was_never_polled_is_told_as_not_configured(charts: Charts) -> None:
    charts.poll()
    view = charts.reader.deployments(None)
    assert view.deployments_words == "Vercel has not been asked yet"
    assert view.runs_words.startswith("No run is on record: they are read where [environments.test.github]")


def test_production_stands_first_and_the_current_one_is_known_by_the_project(charts: Charts) -> None:
    items = [
        item("preview", 9, target=None, candidate=None, live_ms=None, ever_live=None),
        item("stage", 8, target="staging", candidate=None, live_ms=None, ever_live=None),
        item("new", 7),
        item("old", 1),
        item("bad", 5, state="error", live_ms=None, ever_live=False, candidate=False),
    ]
    charts.round(vercel(*items, production="old"))
    view = charts.reader.deployments(None)
    assert [row.short for row in view.deployments] == ["new", "bad", "old", "stage", "preview"]
    rows = named(view)
    assert [name for name, row in rows.items() if row.current] == ["old"]
    assert (rows["new"].why_not, rows["bad"].why_not) == ("", "its build failed")
    assert (view.auto_assign, view.rolling_release, view.deployments_words) == (True, False, "")
    assert view.deployments_ms == charts.clock.wall


def test_the_current_one_is_shown_though_no_list_has_it(charts: Charts) -> None:
    seen = vercel(item("new", 7))
    current: Json = {"id": "dpl_ancient", "short": "ancient", "message": "first", "author": None, "state": "READY"}
    charts.round(replace(seen, facts=dict(seen.facts) | {"production": current}))
    row = named(charts.reader.deployments(None))["ancient"]
    assert (row.current, row.state, row.target) == (True, "ready", "production")


def test_when_it_was_live_comes_from_what_was_seen_and_until_when_too(charts: Charts) -> None:
    first, second, third = (BEGIN_MS - (3 - at) * HOUR_MS for at in range(3))
    for event in (live("old", first), live("new", second), live("old", third, "rollback", "op2")):
        charts.event(event)
    charts.round(vercel(item("old", -9), item("new", -8), production="old"))
    rows = named(charts.reader.deployments(None))
    assert (rows["old"].live_ms, rows["old"].until_ms) == (third, None)
    assert (rows["new"].live_ms, rows["new"].until_ms) == (second, third)
    assert rows["new"].note == "rolled back from 08:00 by op2"
    assert rows["old"].note == "rolled back to 08:00 by op2"
    before = named(charts.reader.deployments(charts.clock.wall - 60_000))
    assert before == {}  # nothing of it was known then


def test_events_without_an_id_of_a_deployment_name_none(charts: Charts) -> None:
    told = Event(at_ms=BEGIN_MS, kind="rollback", subject="vercel", text='rollback by op2 "login 500s"')
    charts.event(told)
    charts.event(replace(live("old", BEGIN_MS - HOUR_MS), data={}))  # its key names it
    charts.round(vercel())
    assert [row.id for row in charts.reader.deployments(None).deployments] == ["dpl_old"]


def test_a_list_older_than_the_newest_change_says_nothing_of_candidates(charts: Charts) -> None:
    items = [item("new", 5), item("old", candidate=False)]
    charts.round(vercel(*items, production="old"))
    assert named(charts.reader.deployments(None))["old"].why_not == ""  # it serves
    production = {name: value for name, value in items[0].items() if name != "candidate"}
    later = replace(vercel(), facts={"production": production, "auto_assign": True}, volatile={})
    now = charts.clock.wall + 5000
    charts.round(replace(later, events=(live("new", now),)))
    assert (
        named(charts.reader.deployments(None))["old"].candidate,
        named(charts.reader.deployments(None))["old"].why_not,
    ) == (None, "")
    charts.clock.pass_ms(10_000)
    charts.round(replace(later, volatile={"deployments": [*items]}))
    assert named(charts.reader.deployments(None))["old"].why_not == "Vercel takes it for no rollback (plan or age)"


def test_a_source_that_fails_keeps_the_last_list_and_says_why(charts: Charts) -> None:
    charts.round(vercel(item("old"), production="old"), github({"id": 1, "number": 5, "status": "completed"}))
    charts.round(refused("vercel"), refused("github"))
    view = charts.reader.deployments(None)
    assert [row.current for row in view.deployments] == [True]
    assert view.deployments_words.startswith("answers 403: bad credentials, since 09:00:")
    assert view.runs_words.startswith("answers 403") and [run.number for run in view.runs] == [5]
    charts.clock.pass_ms(60_000)
    assert charts.reader.deployments(None).deployments_words.startswith("not polled since 09:00:")


def test_a_list_that_failed_beside_a_project_that_answers_says_of_when_it_is(charts: Charts) -> None:
    seen = vercel(item("old"), production="old")
    trouble: dict[str, Json] = {
        "deployments_trouble": "Vercel's list answers 500",
        "deployments_read_ms": BEGIN_MS - 60_000,
    }
    charts.round(replace(seen, volatile=dict(seen.volatile) | trouble))
    words = charts.reader.deployments(None).deployments_words
    assert words == "Vercel's list answers 500; the list is of 08:59:00 UTC"


def test_lists_that_are_not_kept_any_more_are_told_and_what_served_is_still_known(charts: Charts) -> None:
    charts.event(live("old", BEGIN_MS - HOUR_MS))
    then = charts.round(vercel(item("old"), production="old"), github({"id": 1, "number": 5, "status": "completed"}))
    charts.clock.pass_ms(3 * DAY_MS)
    charts.round(vercel(item("new"), production="new"))
    with sqlite3.connect(charts.path) as connection:  # what retention does after 48 hours
        connection.execute("DELETE FROM volatile WHERE at <= ?", (then,))
    view = charts.reader.deployments(then)
    assert view.deployments_words == view.runs_words == ("lists are kept for 48 hours: those of that moment are gone")
    assert [(row.short, row.current) for row in view.deployments] == [("old", True)]
    assert charts.reader.deployments(None).deployments_words == ""


def test_a_list_of_an_older_version_is_looked_behind(charts: Charts) -> None:
    charts.round(vercel(item("old"), production="old"))
    newer = vercel(item("old"), production="old", paused=True)
    charts.clock.pass_ms(120_000)
    charts.round(replace(newer, volatile={"latest": []}))
    assert [row.short for row in charts.reader.deployments(None).deployments] == ["old"]


def test_pin_and_freeze_are_those_open_at_the_moment(charts: Charts, tmp_path: Path) -> None:
    now = charts.round(vercel(item("old"), production="old", auto_assign=False))
    assert (charts.reader.deployments(None).pinned_by, charts.reader.deployments(None).frozen_by) == (None, None)
    records = Records(tmp_path / "records.db")
    records.request_poll()  # makes the file
    records.close()
    rows = [
        ("pinned", "p", "op2", now - 60_000, None, None),
        ("freeze", "a/b", "op1", now - 1000, now + HOUR_MS, None),
        ("freeze", "a/b", "op3", now - HOUR_MS, now - 1000, None),
        ("pinned", "p", "op9", now - 2 * HOUR_MS, None, now - HOUR_MS),
    ]
    with sqlite3.connect(tmp_path / "records.db") as connection:
        connection.executemany(
            "INSERT INTO holding(kind, subject, owner, began_ms, expires_ms, ended_ms, text, undo) "
            "VALUES (?, ?, ?, ?, ?, ?, '', '')",
            rows,
        )
    view = charts.reader.deployments(None)
    assert (view.pinned_by, view.frozen_by, view.frozen_until_ms) == ("op2", "op1", now + HOUR_MS)
    charts.clock.pass_ms(120_000)
    charts.round(vercel(item("old"), production="old", auto_assign=True))
    assert charts.reader.deployments(None).pinned_by is None  # Vercel assigns again, whatever our records say
    assert charts.reader.deployments(now - 90 * 60_000).pinned_by == "op9"


def freeze_row(directory: Path, began_ms: int, ends_ms: int, subject: str = "a/b") -> None:
    with closing(Records.open(directory / "records.db")) as records:
        records.write(
            lambda connection: connection.execute(
                "INSERT INTO holding(kind, subject, owner, began_ms, expires_ms, text, undo) "
                "VALUES ('freeze', ?, 'op1 (loginuid)', ?, ?, '', '')",
                (subject, began_ms, ends_ms),
            )
        )


def not_held(charts: Charts) -> list[str]:
    items = charts.reader.deployments(None).header.open_items
    return [item.text for item in items if item.kind == "not held"]


def test_what_went_live_during_a_freeze_stands_in_the_ledger(charts: Charts, tmp_path: Path) -> None:
    now = charts.round(vercel(item("old"), production="old"))
    freeze_row(tmp_path, now - HOUR_MS, now + HOUR_MS)
    charts.event(live("before", now - 2 * HOUR_MS))
    assert not_held(charts) == []
    charts.event(live("new", now - 60_000))
    (said,) = not_held(charts)
    assert said.endswith("went live during the deploy freeze of op1")


def test_what_went_live_after_a_freeze_ran_out_or_while_one_run_was_held_was_not_frozen(
    charts: Charts, tmp_path: Path
) -> None:
    now = charts.round(vercel(item("old"), production="old"))
    freeze_row(tmp_path, now - HOUR_MS, now - 120_000)
    freeze_row(tmp_path, now - HOUR_MS, now + HOUR_MS, "a/b run 19000000413")
    charts.event(live("new", now - 60_000))
    assert not_held(charts) == []
    assert charts.reader.deployments(None).frozen_by is None, "a hold of one run is no deploy freeze"


def test_before_the_first_reading_it_is_not_said_that_the_settings_lack_something(charts: Charts) -> None:
    told = vercel(item("old"), production="old")
    charts.round(replace(told, facts={"production": told.facts["production"]}, volatile={}))  # as older versions did
    before_ms = charts.clock.wall
    charts.clock.pass_ms(60_000)
    charts.round(vercel(item("old"), production="old"), github({"id": 1, "number": 7, "status": "completed"}))
    then, now = charts.reader.deployments(before_ms + 1), charts.reader.deployments(None)
    assert then.runs_words.startswith("the list of runs had not been read by then: the first is of ")
    assert then.deployments_words.startswith("the list of deployments had not been read by then: the first is of ")
    assert assign_words(then) == "unknown whether new deployments went live: Vercel was not asked for that then"
    assert (now.runs_words, now.deployments_words, assign_words(now)) == ("", "", "")


def test_a_token_that_is_not_told_is_another_thing_than_what_nobody_asked(charts: Charts) -> None:
    """The counter-test."""
    charts.round(vercel(item("old"), production="old", auto_assign=None))
    assert assign_words(charts.reader.deployments(None)).endswith("Vercel does not tell this token")
