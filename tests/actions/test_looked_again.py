"""What has changed since somebody looked, or since the run was cut off: it is looked at again, told, or not done."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from console.actions import desk, negotiation, resuming
from console.actions.messages import Opening
from console.actions.negotiation import Negotiation
from console.actions.parts import context_of
from console.actions.preflight import common_checks
from console.actions.registry import ACTIONS
from console.model.actions import Check, CheckResult, Plan, Risk, RunOutcome
from console.model.observation import Json
from console.model.ports import Refused
from console.model.roles import Authority
from console.store.journal import Journal
from console.store.records import Records, identity
from tests.actions import scripted
from tests.actions.place import Place, place

PHRASE = "f1f1f1f"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    assert ACTIONS["scripted"].startswith(scripted.__name__)  # negotiations of this process know it, too
    return place(tmp_path, monkeypatch)


def opening(here: Place, **wanted: Json) -> Opening:
    made = Opening(file=str(here.settings.file), environment="test", variables={"PATH": os.environ["PATH"]})
    for name, value in wanted.items():
        setattr(made, name, value)
    return made


def negotiated(here: Place, **wanted: Json) -> tuple[Negotiation, Opening]:
    said = opening(here, **wanted)
    return Negotiation.open(said), said


def scripted_opening(here: Place, **script: Json) -> dict[str, Json]:
    return {"action": "scripted", "parameters": {"remote": str(here.remote), **script}}


def cut(here: Place, **script: Json) -> str:
    """A run that was killed."""
    token = here.desk.plan(here.request(**script)).confirm(reason="why", typed=PHRASE)
    assert here.ended(token).run.outcome is RunOutcome.INTERRUPTED  # type: ignore[union-attr]  # it is there
    return token


def outcome(here: Place, token: str) -> RunOutcome:
    run = here.reader().run(token, None).run
    assert run is not None
    return run.outcome


# --- a plan that was looked at some time ago --------------------------------------------------------------------------


async def test_a_warning_that_nobody_has_seen_is_told_before_anything_is_done(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negotiation, "FRESH_S", -1.0)
    talk, said = negotiated(here, **scripted_opening(here))
    await talk.first(said)
    (here.remote / "warning").write_text("a rolling release is in progress at 25 %")
    with pytest.raises(Refused, match=r"what you would meet has changed: look again.*a rolling release"):
        await talk.confirm("why", PHRASE)
    assert talk.fresh_plan is not None and talk.fresh_plan.checks[1].words.startswith("a rolling release")
    assert here.reader().actions(None).runs == () and here.made() == set()
    (here.remote / "warning").write_text("a rolling release is in progress at 30 %")
    begun = await talk.confirm("why", PHRASE)  # it was seen; that it went on is no news
    begun.lock.release()


def with_checks(*checks: tuple[str, CheckResult, str]) -> Plan:
    return Plan(
        action="a", title="t", environment="test", target="t", short_id="t", risk=Risk.SAFE, exclusion=None, steps=(),
        checks=tuple(Check(key=key, result=result, words=words) for key, result, words in checks),
    )  # fmt: skip


@pytest.mark.parametrize(("before", "after", "told"), [
    (("ci", CheckResult.PASS, "none"), ("ci", CheckResult.WARN, "one runs"), True),
    (("ci", CheckResult.WARN, "one runs"), ("ci", CheckResult.FAIL, "one runs"), True),
    (("ci-1", CheckResult.WARN, "one runs"), ("ci-2", CheckResult.WARN, "one runs"), True),
    (("rolling", CheckResult.WARN, "of 0909090"), ("rolling", CheckResult.WARN, "of 0606060"), True),
    (("health", CheckResult.WARN, "answers 500"), ("health", CheckResult.WARN, "answers 404"), True),
    (("a", CheckResult.WARN, "since 12 s, p95 1,840 ms"), ("a", CheckResult.WARN, "since 3 m, p95 912 ms"), False),
    (("a", CheckResult.WARN, "errors 7.5 % at 12:01"), ("a", CheckResult.WARN, "errors 38 % at 12:02"), False),
    (("a", CheckResult.WARN, "gone by now"), ("b", CheckResult.PASS, "well"), False),
])  # fmt: skip
def test_what_is_news(before: tuple[str, CheckResult, str], after: tuple[str, CheckResult, str], told: bool) -> None:
    assert bool(resuming.news(with_checks(before), with_checks(after))) is told


# --- a run that was cut off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["", "Make two other files"])
def test_cut_off_before_its_first_change_it_is_not_gone_on_with(here: Place, world: str) -> None:
    token = cut(here, ask="kill-before")
    here.records().write(lambda connection: connection.execute("DELETE FROM run_entry"))  # before `ask` was begun
    (here.remote / "title").write_text(world)
    with pytest.raises(Refused, match="nothing was changed: ask anew"):
        here.desk.resume(token)
    assert outcome(here, token) is RunOutcome.NOT_DONE and here.made() == set()


def test_a_rest_that_changes_more_is_shown_with_the_checks_of_today(here: Place) -> None:
    token = cut(here, again="kill-once")
    (here.remote / "warning").write_text("a rolling release is in progress")
    rest = here.desk.resume(token)
    told = {check.key: check.result for check in rest.plan.checks}
    assert told["warning"] is CheckResult.WARN and told["authority"] is CheckResult.PASS
    assert "exclusion" not in told  # it does not stand in its own way
    rest.confirm(reason="", typed=PHRASE)
    here.ended(token, lambda seen: seen.run is not None and seen.run.ended_ms is not None)
    assert here.made() == {"ask", "again"}


def test_a_rest_that_would_be_planned_otherwise_today_is_refused(here: Place) -> None:
    token = cut(here, again="kill-before")
    (here.remote / "title").write_text("Make two files over somebody else's")
    with pytest.raises(Refused, match=r"things have changed since.*somebody else's.*radar actions close"):
        here.desk.resume(token)
    assert outcome(here, token) is RunOutcome.INTERRUPTED and here.made() == {"ask"}
    assert "closed by hand" in here.desk.close_run(token, "looked at it")


async def test_a_rest_that_was_shown_for_long_is_looked_at_again(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negotiation, "FRESH_S", -1.0)
    talk, said = negotiated(here, resume=cut(here, again="kill-before"))
    await talk.first(said)
    (here.remote / "warning").write_text("a rolling release is in progress")
    with pytest.raises(Refused, match="what you would meet has changed"):
        await talk.confirm("", PHRASE)
    (here.remote / "title").write_text("Make two other files")
    with pytest.raises(Refused, match="things have changed since"):
        await talk.confirm("", PHRASE)
    assert here.made() == {"ask"}


async def test_another_system_is_not_even_asked(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    token = cut(here, ask="kill-after")
    (here.remote / "hangs").touch()
    wrong = Check(key="identity", result=CheckResult.FAIL, words="this is not the configured system: other")
    monkeypatch.setattr(negotiation, "identity_check", lambda context: (wrong,))
    talk, said = negotiated(here, resume=token)
    with pytest.raises(Refused, match="not the configured system"):
        await talk.first(said)
    assert outcome(here, token) is RunOutcome.RUNNING  # held by this process, and neither settled nor ended


async def test_a_remote_that_hangs_is_told_as_unknown_in_time(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resuming.SETTLE_S <= 25 and resuming.SETTLE_S < resuming.RESUME_S < desk.PLAN_TIMEOUT_S
    token = cut(here, ask="kill-after")
    (here.remote / "hangs").touch()
    monkeypatch.setattr(negotiation, "SETTLE_S", 0.1)
    talk, said = negotiated(here, resume=token)
    with pytest.raises(Refused, match=r"still unknown: .*not told in time"):
        await talk.first(said)
    assert outcome(here, token) is RunOutcome.UNKNOWN


# --- broken glass, due rows, and what names nothing -------------------------------------------------------------------


def behind_glass(here: Place, second: Path) -> dict[str, Check]:
    context, person = context_of(opening(here))
    second.mkdir()
    behind = dataclasses.replace(context, glass=second, records=Records(second / "records.db"))
    plan = dataclasses.replace(with_checks(), exclusion="files")
    return {
        check.key: check for check in common_checks(behind, person, Journal(behind.records, identity()), plan)
    }  # fmt: skip


def test_broken_glass_does_not_hide_the_runs_of_the_main_records(here: Place, tmp_path: Path) -> None:
    cut(here, ask="kill-before")
    found = behind_glass(here, tmp_path / "second")["exclusion"]
    assert found.result is CheckResult.FAIL and "is not at its end: Make two files" in found.words


def test_broken_glass_with_records_that_cannot_be_read_says_so(here: Place, tmp_path: Path) -> None:
    cut(here, ask="kill-before")
    here.settings.records_path.write_bytes(b"no database at all " * 1000)
    found = behind_glass(here, tmp_path / "second")["exclusion"]
    assert found.result is CheckResult.WARN and "whether a run is open cannot be read" in found.words


def test_broken_glass_without_an_open_run_says_nothing(here: Place, tmp_path: Path) -> None:
    here.records().write(lambda connection: None)
    assert "exclusion" not in behind_glass(here, tmp_path / "second")


@pytest.mark.parametrize(("variable", "words"), [
    ("1000", "by the collector's service"), (None, "nothing of number 7 is due"),
])  # fmt: skip
async def test_what_is_due_is_begun_by_no_person(
    here: Place, monkeypatch: pytest.MonkeyPatch, variable: str | None, words: str
) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    if variable:
        monkeypatch.setenv("SUDO_UID", variable)
    said = opening(here, due=7)
    context, person = context_of(said)
    talk = Negotiation(context, dataclasses.replace(person, authority=Authority.ENFORCED))
    with pytest.raises(Refused, match=words):
        await talk.first(said)


@pytest.mark.parametrize("short", ["", " "])
@pytest.mark.parametrize("risk", ["disruptive", "destructive"])
@pytest.mark.parametrize("typed", ["", "test/", "test/ "])
def test_a_plan_that_names_nothing_is_confirmed_by_nothing(here: Place, short: str, risk: str, typed: str) -> None:
    ticket = here.desk.plan(here.request(short=short, risk=risk))
    assert not ticket.plan.confirms(typed)
    with pytest.raises(Refused, match="names nothing that could be typed"):
        ticket.confirm(reason="why", typed=typed)
    assert here.made() == set()
    ticket.leave()
