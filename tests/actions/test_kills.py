"""SIGKILL before, in and after each remote call of every step: what is told, held, decided, and done exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.actions.desk import Ticket
from console.model.action_views import RunView
from console.model.actions import ActionRequest, RunOutcome, StepOutcome
from console.model.ports import Refused
from tests.actions.counted import AFTER, BEFORE, CHANGES, LOST, POINTS, STEPS, UNDONE, Remote
from tests.actions.place import Place, place

PHRASE = "t1t1t1t"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch, module="tests.actions.counted")


def planned(here: Place) -> Ticket:
    return here.desk.plan(ActionRequest(action="counted", parameters={"remote": str(here.remote / "s")}))


def interrupted(here: Place) -> str:
    """A run that was begun and killed; what everybody sees of it."""
    token = planned(here).confirm(reason="it is broken", typed=PHRASE)
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.INTERRUPTED and view.run.ended_ms is None
    assert "interrupted" in {item.kind for item in here.reader().health(None).header.open_items}
    return token


def ended(here: Place, token: str) -> RunView:
    return here.ended(token, lambda seen: seen.run is not None and seen.run.ended_ms is not None)


def entered(here: Place, step: str, outcome: StepOutcome, words: str) -> None:
    """A line that the runner wrote before it was killed."""
    statement = "INSERT INTO run_entry(run_id, at_ms, step, outcome, words, data) VALUES (1, 1, ?, ?, ?, '{}')"
    here.records().write(lambda connection: connection.execute(statement, (step, str(outcome), words)))


def outcome(view: RunView) -> RunOutcome:
    assert view.run is not None
    return view.run.outcome


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("step", [step.key for step in STEPS])
def test_killed_at_a_call_and_resumed_each_change_is_carried_out_once(here: Place, step: str, point: str) -> None:
    with Remote(here.remote / "s", (step, point)) as remote:
        token = interrupted(here)
        if point == LOST:  # one of the four, for the time it takes
            other = planned(here)
            assert any("is not at its end" in words for words in other.plan.refusals)  # the unfinished row is the lease
            with pytest.raises(Refused, match="is not at its end"):
                other.confirm(reason="why", typed=PHRASE)
            other.leave()
        if step == "first" and point in (BEFORE, UNDONE):
            with pytest.raises(Refused, match="nothing was changed: it was not counted"):
                here.desk.resume(token)
            assert outcome(ended(here, token)) is RunOutcome.NOT_DONE
            assert not remote.carried_out
            return
        rest = here.desk.resume(token)
        left = [step.key for step in STEPS][[step.key for step in STEPS].index(step) :]
        carried_out = step in CHANGES and point in (LOST, AFTER)
        assert [each.key for each in rest.plan.steps] == left[carried_out:]
        before = dict(remote.carried_out)
        assert rest.confirm(reason="", typed=PHRASE) == token
        view = ended(here, token)
        assert outcome(view) is RunOutcome.DONE
        assert [each.outcome for each in view.steps] == [StepOutcome.DONE] * len(STEPS)
        assert {key: remote.carried_out[key] for key in CHANGES} == dict.fromkeys(CHANGES, 1), before


@pytest.mark.parametrize("points", [
    [("second", BEFORE), ("second", BEFORE), ("second", UNDONE)],
    [("first", LOST), ("second", UNDONE), ("second", LOST)],
    [("first", AFTER), ("tell", LOST), ("watch", BEFORE)],
])  # fmt: skip
def test_killed_again_in_the_rest_each_change_is_carried_out_once(here: Place, points: list[tuple[str, str]]) -> None:
    with Remote(here.remote / "s", *points) as remote:
        token = interrupted(here)
        while remote.kills:
            left = len(remote.kills)
            here.desk.resume(token).confirm(reason="", typed=PHRASE)
            view = here.ended(token)
            assert outcome(view) is RunOutcome.INTERRUPTED and len(remote.kills) < left
        here.desk.resume(token).confirm(reason="", typed=PHRASE)
        assert outcome(ended(here, token)) is RunOutcome.DONE
        assert {key: remote.carried_out[key] for key in CHANGES} == dict.fromkeys(CHANGES, 1)


def test_of_two_who_resume_at_once_one_is_refused(here: Place) -> None:
    with Remote(here.remote / "s", ("second", LOST)) as remote:
        token = interrupted(here)
        first = here.desk.resume(token)
        with pytest.raises(Refused, match="is being carried out"):
            here.desk.resume(token)
        first.leave()  # looking only: it is free again
        second = here.desk.resume(token)
        second.confirm(reason="", typed=PHRASE)
        assert outcome(ended(here, token)) is RunOutcome.DONE
        with pytest.raises(Refused, match="it is at its end"):
            here.desk.resume(token)
        assert remote.carried_out["second"] == 1


def test_a_change_that_the_rest_does_not_need_is_no_end_and_hides_no_other(here: Place) -> None:
    """A message that may have got through stands before the change that was cut: both are judged on their own."""
    with Remote(here.remote / "s", ("second", LOST)) as remote:
        token = interrupted(here)
        entered(here, "tell", StepOutcome.UNKNOWN, "no answer")
        rest = here.desk.resume(token)
        assert [step.key for step in rest.plan.steps] == ["watch"]
        rest.confirm(reason="", typed="")
        view = ended(here, token)
        assert outcome(view) is RunOutcome.DONE and view.run is not None and "tell people: no answer" in view.run.words
        assert remote.carried_out["second"] == 1 and remote.carried_out["tell"] == 0


def test_a_run_cut_off_between_its_failure_and_its_end_is_not_gone_on_with(here: Place) -> None:
    with Remote(here.remote / "s", ("second", BEFORE)) as remote:
        token = interrupted(here)
        insert = (
            "INSERT INTO run_entry(run_id, at_ms, step, outcome, words, data) VALUES (1, 1, 'second', ?, 'no', '{}')"
        )
        here.records().write(lambda connection: connection.execute(insert, ("failed",)))
        with pytest.raises(Refused, match="it failed, and the run was cut off"):
            here.desk.resume(token)
        assert outcome(ended(here, token)) is RunOutcome.FAILED
        assert remote.carried_out["second"] == 0 and remote.carried_out["watch"] == 0
