"""`radar alerts`, `ack` and `silence` on a real store."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from console.model.configuration import Severity
from console.model.observation import Event, Outcome
from tests.commands.conftest import RULE, Collector, Radar, Site
from tests.store import samples

pytestmark = pytest.mark.usefixtures("as_operator")


@pytest.fixture
def firing(collector: Collector, radar: Radar) -> int:
    """The number of an alert that fires."""
    collector.round(firing=True)
    return int(radar("alerts", "--json").document["firing"][0]["id"])


def test_nothing_firing_is_well(collector: Collector, radar: Radar) -> None:
    collector.round()
    done = radar("alerts")
    assert done.status == 0
    assert "FIRING 0\n  nothing" in done.out
    assert "error rate" in done.out


def test_where_nobody_ever_collected_nothing_is_known_to_be_well(radar: Radar) -> None:
    done = radar("alerts")
    assert done.status == 1
    assert "nothing is judged yet" in done.err
    assert "FIRING 0\n  not known" in done.out
    assert radar("alerts", "--json").status == 1


def test_when_the_collector_is_gone_nothing_is_known_to_be_well(collector: Collector, radar: Radar) -> None:
    collector.round()
    assert radar("alerts").status == 0
    collector.store.release(collector.lease)
    done = radar("alerts")
    assert done.status == 1
    assert "nobody collects, so nothing is judged now" in done.err
    assert "FIRING 0\n  not known" in done.out


def test_the_worst_is_told_first_and_what_somebody_has_in_hand_last(collector: Collector, radar: Radar) -> None:
    now = collector.round()
    for age_ms, (rule, severity) in enumerate((("a", "medium"), ("b", "critical"), ("c", "high"), ("d", "critical"))):
        change = replace(samples.alert(rule, began_ms=now - age_ms), severity=cast(Severity, severity))
        judgement = samples.judged(now + 1 + age_ms, alerts=(change,), rules=(RULE,))
        collector.store.write_round(collector.lease, now + 1 + age_ms, [], judgement, {"health": 5.0})
    assert [alert["rule"] for alert in radar("alerts", "--json").document["firing"]] == ["b", "d", "c", "a"]
    number = next(alert["id"] for alert in radar("alerts", "--json").document["firing"] if alert["rule"] == "b")
    radar("ack", str(number))
    done = radar("alerts")
    assert [alert["rule"] for alert in radar("alerts", "--json").document["firing"]] == ["d", "c", "a", "b"]
    assert done.status == 2
    assert done.out.index("d/routes") < done.out.index("c/routes") < done.out.index("b/routes")


def test_a_damaged_store_does_not_speak_of_a_collector_that_is_not_there(radar: Radar, site: Site) -> None:
    site.settings.state_directory.mkdir(parents=True)
    site.settings.observed_path.write_bytes(b"no database" * 1000)
    done = radar("alerts")
    assert done.status == 2
    assert "the next collector sets it aside" in done.err and "radar collect" in done.err


def test_a_firing_alert_is_status_1_and_told_with_age_and_origin(firing: int, radar: Radar) -> None:
    done = radar("alerts")
    assert done.status == 1
    assert f"{firing}  high  error rate/routes  0 s  38 % of answers are errors (probe)" in done.out


@pytest.mark.parametrize(
    ("event", "witness", "why"),
    [
        (True, None, "held: in maintenance by op1"),
        (False, "answered", "held: what it measures cannot be judged now"),
        (False, "failed", "held: this bastion is offline"),
        (True, "failed", "held: this bastion is offline"),
    ],
)
def test_why_a_rule_is_held_is_said(
    collector: Collector, radar: Radar, event: bool, witness: str | None, why: str
) -> None:
    at_ms = collector.round(firing=True)
    told = Event(at_ms=at_ms, kind="maintenance", subject="routes", text="began", data={"on": True, "by": "op1"})
    outcome = Outcome(witness or "answered")
    seen = [samples.observed(events=(told,) if event else ())]
    seen += [replace(samples.observed("egress"), outcome=outcome)] if witness else []
    judgement = samples.judged(
        at_ms + 1, (samples.component(),), samples.verdict(), rules=(replace(RULE, state="held"),)
    )
    collector.store.write_round(collector.lease, at_ms + 1, seen, judgement, {"health": 5.0, "egress": 5.0})
    assert why in radar("alerts").out


def test_the_document_holds_what_the_lines_hold(firing: int, radar: Radar) -> None:
    done = radar("alerts", "--json", "--history")
    assert done.status == 1
    assert set(done.document) == {"at", "environment", "collecting", "firing", "rules", "silences", "history"}
    alert = done.document["firing"][0]
    assert (alert["rule"], alert["severity"], alert["acknowledged"]) == ("error rate", "high", None)
    assert done.document["rules"][0]["name"] == "error rate"


def test_an_acknowledgement_is_seen_by_everybody(firing: int, radar: Radar) -> None:
    done = radar("ack", str(firing), "--note", "on it")
    assert (done.status, done.err) == (0, "")
    assert "acknowledged by" in radar("alerts").out
    assert radar("alerts", "--json").document["firing"][0]["acknowledged"]["note"] == "on it"


def test_what_does_not_fire_cannot_be_acknowledged(firing: int, radar: Radar) -> None:
    done = radar("ack", "999")
    assert done.status == 2
    assert "not firing" in done.err


def test_a_silence_begins_and_ends(firing: int, radar: Radar) -> None:
    done = radar("silence", "error rate", "--for", "2h", "--reason", "known", "--json")
    assert done.status == 0
    assert done.document == {"silenced": "error rate", "minutes": 120, "reason": "known"}
    silence = radar("alerts", "--json").document["silences"][0]
    assert "known" in radar("alerts").out
    assert radar("silence", "--end", str(silence["id"])).status == 0
    assert "known" not in radar("alerts").out
    assert radar("silence", "--end", str(silence["id"])).status == 2


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([], "which rule"),
        (["error rate"], "for how long"),
        (["error rate", "--for", "2h"], "why"),
        (["error rate", "--for", "2h", "--reason", " "], "why"),
        (["error rate", "--for", "ever", "--reason", "x"], "no duration"),
        (["error rate", "--end", "3"], "either"),
    ],
)
def test_a_silence_without_expiry_or_reason_is_refused(radar: Radar, site: Site, typed: list[str], says: str) -> None:
    done = radar("silence", *typed)
    assert done.status == 3
    assert says in done.err
    assert not site.settings.records_path.exists()


def test_a_silence_of_a_rule_that_does_not_exist_is_refused_with_the_rules(firing: int, radar: Radar) -> None:
    done = radar("silence", "eror rate/routes", "--for", "2h", "--reason", "typing error")
    assert done.status == 3
    assert "Did you mean 'error rate'? There are: error rate" in done.err
    assert radar("alerts", "--json").document["silences"] == []


@pytest.mark.parametrize(
    ("subject", "warned"),
    [("routs", True), ("routes", False), ("application", False), ("health", False), ("health|latency_ms", False)],
)
def test_a_silence_of_a_subject_that_was_never_seen_is_warned_of(
    firing: int, radar: Radar, subject: str, warned: bool
) -> None:
    done = radar("silence", f"error rate/{subject}", "--for", "2h", "--reason", "x", "--json")
    assert done.status == 0
    assert done.document["silenced"] == f"error rate/{subject}"
    assert ("was ever seen. Did you mean" in done.err) is warned


@pytest.mark.parametrize(
    ("typed", "warned"),
    [
        ("route-down/pricing", False),
        ("route-down//pricing", False),
        ("route-down/pricing|latency_ms", False),
        ("route-down/prizing", True),
        ("route-down/", True),
    ],
)
def test_a_route_is_known_by_its_alerts_name_and_with_a_slash_of_its_own(
    collector: Collector, radar: Radar, typed: str, warned: bool
) -> None:
    now = collector.round()
    change = samples.alert("route-down", "/pricing", began_ms=now)
    rule = replace(RULE, name="route-down")
    judgement = samples.judged(now + 1, alerts=(change,), rules=(rule,))
    collector.store.write_round(collector.lease, now + 1, [], judgement, {"health": 5.0})
    assert "  route-down/pricing  " in radar("alerts").out
    done = radar("silence", typed, "--for", "2h", "--reason", "x")
    assert done.status == 0
    assert ("was ever seen." in done.err) is warned
    assert ("silenced till" in radar("alerts").out) is (not warned and "|" not in typed)


@pytest.mark.parametrize("typed", [["ack", "abc"], ["silence", "--end", "abc"]])
def test_what_is_no_number_is_told_with_where_the_numbers_are(radar: Radar, typed: list[str]) -> None:
    done = radar(*typed)
    assert done.status == 3
    assert "number, as radar alerts shows it" in done.err
    assert "invalid" not in done.err


def test_a_silence_longer_than_a_week_is_refused(firing: int, radar: Radar) -> None:
    assert radar("silence", "error rate", "--for", "8d", "--reason", "x").status == 2


@pytest.mark.parametrize("command", [["alerts"], ["ack", "1"], ["silence", "--end", "1"]])
def test_a_damaged_store_is_told_without_a_traceback(radar: Radar, site: Site, command: list[str]) -> None:
    site.settings.state_directory.mkdir(parents=True)
    for path in (site.settings.observed_path, site.settings.records_path):
        path.write_bytes(b"no database" * 1000)
    done = radar(*command)
    assert done.status == 2
    assert done.err.startswith("radar: ")
    assert "Traceback" not in done.err
