"""The runner with real processes, real kills and the real records: what is done, told, refused, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from console.model.actions import RunOutcome, StepOutcome
from console.model.ports import Refused
from console.store import audit
from console.store.journal import Journal
from console.store.records import identity
from tests.actions.place import Place, place

PHRASE = "f1f1f1f"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def begun(here: Place, **script: object) -> str:
    ticket = here.desk.plan(here.request(**script))  # type: ignore[arg-type]  # texts and booleans
    return ticket.confirm(reason="it is broken", typed=PHRASE)


def outcomes(view: object) -> list[StepOutcome | None]:
    return [step.outcome for step in view.steps]  # type: ignore[attr-defined]


def test_a_plan_is_carried_out_step_by_step_and_recorded(here: Place) -> None:
    token = begun(here)
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
    assert outcomes(view) == [StepOutcome.DONE] * 4
    assert here.made() == {"ask", "again"}
    header = here.reader().health(None).header
    assert [item.kind for item in header.open_items] == ["pinned", "arming"]
    assert header.armed_until_ms is not None
    assert [run.outcome for run in here.reader().actions(None).runs] == [RunOutcome.DONE]


def test_looking_changes_nothing_and_leaving_ends_the_runner(here: Place) -> None:
    ticket = here.desk.plan(here.request())
    ticket.leave()
    assert here.made() == set() and here.reader().actions(None).runs == ()
    with pytest.raises(Refused, match="was left"):
        ticket.confirm(reason="x", typed=PHRASE)


def test_the_first_row_stands_before_confirm_returns(here: Place) -> None:
    token = begun(here, ask="wait")
    run = here.reader().run(token, None).run
    assert run is not None and run.reason == "it is broken" and run.outcome is RunOutcome.RUNNING
    (here.remote / "go").touch()
    here.ended(token)


@pytest.mark.parametrize(("reason", "typed", "words"), [
    ("", PHRASE, "a reason is needed"), ("why", "f1f1f1", f"type {PHRASE}"), ("why", "", f"type {PHRASE}"),
])  # fmt: skip
def test_without_reason_or_phrase_nothing_is_done(here: Place, reason: str, typed: str, words: str) -> None:
    ticket = here.desk.plan(here.request())
    with pytest.raises(Refused, match=words):
        ticket.confirm(reason=reason, typed=typed)
    assert here.made() == set()
    token = ticket.confirm(reason="why", typed="test/f1f1f1f")  # the same plan can still be confirmed
    assert here.ended(token).run is not None


def test_a_safe_action_needs_no_phrase_and_no_reason(here: Place) -> None:
    token = here.desk.plan(here.request(risk="safe")).confirm(reason="", typed="")
    run = here.ended(token).run
    assert run is not None and run.outcome is RunOutcome.DONE


@pytest.mark.parametrize("role", ["viewer", "operators"])
def test_a_role_that_may_not_is_refused_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    here = place(tmp_path, monkeypatch, "operators")
    if role == "viewer":
        file = tmp_path / "radar.toml"
        file.write_text(file.read_text().replace("operators = [", 'operators = ["nobody-of-that-name"] # ['))
    risk = "safe" if role == "viewer" else "destructive"
    ticket = here.desk.plan(here.request(risk=risk))
    assert any("you may not do this" in words for words in ticket.plan.refusals)
    with pytest.raises(Refused, match="you may not do this"):
        ticket.confirm(reason="why", typed=f"test/{PHRASE}")
    assert here.made() == set()


def test_a_check_that_fails_forbids_it(here: Place) -> None:
    ticket = here.desk.plan(here.request(fail=True))
    with pytest.raises(Refused, match="as it was scripted"):
        ticket.confirm(reason="why", typed=PHRASE)


def test_a_rejected_change_ends_the_run_and_nothing_after_it_is_begun(here: Place) -> None:
    view = here.ended(begun(here, again="rejected"))
    assert view.run is not None and view.run.outcome is RunOutcome.FAILED and "the remote says no" in view.run.words
    assert outcomes(view) == [StepOutcome.DONE, StepOutcome.FAILED, None, None]


def test_people_who_cannot_be_told_do_not_lose_the_rest(here: Place) -> None:
    view = here.ended(begun(here, tell="rejected"))
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
    assert "tell people: the remote says no" in view.run.words


def test_worse_is_said(here: Place) -> None:
    view = here.ended(begun(here, watch="worse"))
    assert view.run is not None and view.run.outcome is RunOutcome.WORSE


@pytest.mark.parametrize(("script", "outcome"), [("lost", StepOutcome.DONE), ("lost-not-done", StepOutcome.FAILED)])
def test_a_lost_answer_is_resolved_from_the_remote_state(here: Place, script: str, outcome: StepOutcome) -> None:
    view = here.ended(begun(here, ask=script))
    assert view.steps[0].outcome is outcome and "read from the remote state" in view.steps[0].said


def test_a_defect_in_a_change_is_unknown_until_the_remote_state_tells_and_shows_no_value(here: Place) -> None:
    view = here.ended(begun(here, ask="defect"))
    assert view.steps[0].outcome is StepOutcome.DONE  # the file was made before the defect
    log = next((here.settings.state_directory / "runs").glob("*.log")).read_text()
    stored = here.records().read(lambda c: "".join(row[0] for row in c.execute("SELECT words FROM run_entry")))
    assert "secret-value" not in log + stored


@pytest.mark.parametrize(("script", "made"), [("kill-before", False), ("kill-after", True)])
def test_killed_in_a_change_the_run_is_interrupted_and_the_remote_state_decides(
    here: Place, script: str, made: bool
) -> None:
    token = begun(here, ask=script)
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.INTERRUPTED
    assert [item.kind for item in here.reader().health(None).header.open_items] == ["interrupted", "arming"]
    with pytest.raises(Refused, match="is not at its end"):  # the unfinished row is the lease
        other = here.desk.plan(here.request())
        other.confirm(reason="why", typed=PHRASE)
    if not made:
        with pytest.raises(Refused, match="nothing was changed"):
            here.desk.resume(token)
        assert here.ended(token).run.outcome is RunOutcome.NOT_DONE  # type: ignore[union-attr]  # it is there
        return
    rest = here.desk.resume(token)
    assert [step.key for step in rest.plan.steps] == ["again", "tell", "watch"]
    assert rest.confirm(reason="", typed=PHRASE) == token
    view = here.ended(token, lambda seen: seen.run is not None and seen.run.ended_ms is not None)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
    assert here.made() == {"ask", "again"}


def test_what_is_left_without_a_change_needs_no_phrase(here: Place) -> None:
    token = begun(here, watch="kill-before")
    here.ended(token)
    rest = here.desk.resume(token)
    assert rest.plan.phrase == "" and [step.key for step in rest.plan.steps] == ["watch"]
    rest.leave()
    run = here.ended(token).run
    assert run is not None and run.outcome is RunOutcome.INTERRUPTED  # looking at the rest changed nothing


def test_what_stays_unknown_stays_open_until_somebody_closes_it(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    token = begun(here, ask="lost-unreadable")
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.UNKNOWN and view.run.ended_ms is None
    with pytest.raises(Refused, match="still unknown"):
        here.desk.resume(token)
    with pytest.raises(Refused, match="needs a reason"):
        here.desk.close_run(token, " ")
    assert "closed by hand" in here.desk.close_run(token, "looked at the dashboard")
    run = here.ended(token).run
    assert run is not None and run.outcome is RunOutcome.CLOSED


def test_a_running_run_cannot_be_resumed_or_closed(here: Place) -> None:
    token = begun(here, ask="wait")
    for act in (lambda: here.desk.resume(token), lambda: here.desk.close_run(token, "why")):
        with pytest.raises(Refused, match="is being carried out"):
            act()
    (here.remote / "go").touch()
    here.ended(token)


def test_two_at_the_same_instant_one_is_told_of_the_other(here: Place) -> None:
    first, second = (here.desk.plan(here.request(ask="wait")) for _ in range(2))
    token = first.confirm(reason="why", typed=PHRASE)
    with pytest.raises(Refused, match="is not at its end: Make two files"):
        second.confirm(reason="why", typed=PHRASE)
    (here.remote / "go").touch()
    assert here.ended(token).run is not None
    assert len(here.reader().actions(None).runs) == 1


def test_the_runner_outlives_who_started_it(here: Place) -> None:
    child = os.fork()
    if child == 0:  # the console: it begins, and is killed as if SSH were cut
        os.setsid()
        token = begun(here, ask="wait")
        (here.remote / "token").write_text(token)
        os.kill(os.getpid(), signal.SIGHUP)
        os._exit(1)
    os.waitpid(child, 0)
    (here.remote / "go").touch()
    view = here.ended((here.remote / "token").read_text())
    assert view.run is not None and view.run.outcome is RunOutcome.DONE


def test_armed_people_give_no_reason_again_and_it_expires(here: Place) -> None:
    here.ended(begun(here))
    ticket = here.desk.plan(here.request())
    assert ticket.reason == "it is broken"
    here.ended(ticket.confirm(reason="", typed=PHRASE))
    here.records().write(lambda c: c.execute("UPDATE arming SET expires_ms = began_ms + 1"))
    assert here.desk.plan(here.request()).reason == ""


def test_options_make_another_plan(here: Place) -> None:
    ticket = here.desk.plan(here.request())
    before = ticket.plan.digest
    assert ticket.change({"hold": True}).options[0].on
    assert ticket.plan.digest != before
    ticket.leave()


def test_the_audit_tells_who_did_what_and_its_chain_holds(here: Place) -> None:
    here.ended(begun(here))
    entries = here.records().read(lambda connection: list(audit.entries(connection)))
    assert [entry.kind for entry in entries] == ["begun", "armed", "done"]
    assert all(entry.hash == entry.computed for entry in entries)
    assert [entry.previous for entry in entries] == [audit.FIRST, *(entry.hash for entry in entries[:-1])]


def test_without_a_place_for_the_record_nothing_is_done(here: Place) -> None:
    ticket = here.desk.plan(here.request())
    connection = sqlite3.connect(here.settings.records_path)
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'no room'); END")
    connection.commit()
    with pytest.raises(Refused, match="nothing was done, for it could not be recorded"):
        ticket.confirm(reason="why", typed=PHRASE)
    assert here.made() == set() and here.reader().actions(None).runs == ()


def test_the_variables_of_the_person_are_in_no_environment_and_no_argument(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERCEL_TOKEN", "geheim-4711")
    token = begun(here, ask="wait")
    run = json.loads(here.records().read(lambda c: c.execute("SELECT pid FROM run").fetchone()[0].__str__()))
    process = Path(f"/proc/{run}")
    assert b"geheim-4711" not in (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    (here.remote / "go").touch()
    here.ended(token)


def test_a_journal_row_of_somebody_else_is_not_changed_by_the_end_of_another(here: Place) -> None:
    journal = Journal(here.records(), identity())
    assert journal.open_runs() == ()
