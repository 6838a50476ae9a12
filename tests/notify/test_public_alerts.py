"""What the public is told of alerts: nothing unless named, one incident, no word of ours but the fixed ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from console.model.configuration import SEVERITIES, Secret, Severity
from console.model.judgement import AlertChange
from console.model.observation import Json, Origin
from console.model.operations import Statuspage as Settings
from console.notify import public_alerts
from console.notify.public_alerts import OTHERS, VISIBLE, Open, Public, PublicEntry, decide, open_of, strange
from console.notify.rules import Quiet
from console.notify.statuspage import update_of
from tests.notify.parts import NOW_MS

HOSTILE = "db-7.internal: SELECT secret FROM users"
SETTINGS = Settings(key=Secret("k"), page="p", components=("cmp_web",), alerts=("critical",), alert_after_s=60)


def alert(rule: str = "application-down", severity: Severity = "critical", ago_s: int = 300) -> AlertChange:
    began_ms = NOW_MS - ago_s * 1000
    return AlertChange(rule=rule, subject=HOSTILE, severity=severity, text=HOSTILE, origin=Origin.PROBE,
                       pending_ms=began_ms, began_ms=began_ms)  # fmt: skip


def told(*firing: AlertChange, open_: Open | None = None, quiet: Quiet | None = None, **settings: Any) -> Any:
    """(what, status, components, body) of what is told; None: nothing."""
    entry = entered(*firing, open_=open_, quiet=quiet, **settings)
    if entry is None:
        return None
    update = update_of(entry.payload)
    assert update is not None
    assert HOSTILE not in json.dumps(entry.payload) and "internal" not in entry.event
    public: Any = entry.payload["public"]
    return public["what"], update.status, dict(update.components), update.body


def entered(
    *firing: AlertChange, open_: Open | None = None, quiet: Quiet | None = None, **settings: Any
) -> PublicEntry | None:
    return decide(
        Public(environment="production", settings=replace(SETTINGS, **settings), now_ms=NOW_MS, firing=firing,
               quiet=quiet or Quiet(), open=open_)
    )  # fmt: skip


def test_by_default_the_public_is_told_of_no_alert() -> None:
    assert told(*(alert(severity=each) for each in SEVERITIES), alerts=()) is None
    assert Settings(key=Secret("k"), page="p").alerts == ()


def test_an_alert_of_a_named_severity_is_an_incident_in_fixed_words() -> None:
    what, status, components, body = told(alert())
    assert (what, status, components) == ("began", "investigating", {"cmp_web": "major_outage"})
    assert body == "The application cannot be reached, or answers with errors. We are looking into it."
    assert told(alert(severity="high")) is None


def test_a_severity_chooses_only_what_users_notice_any_other_rule_must_be_named() -> None:
    for rule in ("memory", "egress", "collector-late", "security", "my-rule"):
        assert told(alert(rule)) is None
        assert told(alert(rule), alerts=(rule,))[0] == "began"


def test_what_ends_soon_is_silenced_or_in_maintenance_is_not_told() -> None:
    assert told(alert(ago_s=59)) is None and told(alert(ago_s=60)) is not None
    assert told(alert(), quiet=Quiet(silenced=lambda rule, subject: True)) is None
    assert told(alert(), quiet=Quiet(maintenance=True)) is None
    assert told(alert(), quiet=Quiet(offline=True)) is None


def test_more_alerts_are_the_same_incident_and_only_a_worse_one_is_told() -> None:
    named: dict[str, Any] = {"alerts": ("critical", "high")}
    began = entered(alert("error-rate", "high"), **named)
    assert began is not None
    open_ = open_of(began.payload)
    assert open_ is not None and open_.severity == "high"
    assert told(alert("error-rate", "high"), alert("route-down", "high"), open_=open_, **named) is None
    what, status, components, _ = told(alert("error-rate", "high"), alert(), open_=open_, **named)
    assert (what, status, components) == ("worse", "investigating", {"cmp_web": "major_outage"})


def test_it_is_over_when_the_last_of_them_is_and_puts_the_components_back() -> None:
    open_ = Open(stem="a6923f00", severity="critical")
    assert told(alert(), open_=open_) is None
    assert told(alert(), open_=open_, quiet=Quiet(silenced=lambda rule, subject: True)) is None, "it goes on"
    what, status, components, body = told(open_=open_)
    assert (what, status, components) == ("over", "resolved", {"cmp_web": "operational"}) and "over" in body
    assert told(open_=open_, quiet=Quiet(offline=True)) is None, "nobody knows that it is over"
    assert told(open_=open_, quiet=Quiet(maintenance=True))[2] == {"cmp_web": None}, "maintenance says how they are"


def test_the_outbox_knows_which_incident_is_open() -> None:
    over: Mapping[str, Json] = {"public": {"stem": "a1", "what": "over", "severity": "low"}}
    began: Mapping[str, Json] = {"public": {"stem": "a1", "what": "began", "severity": "high"}}
    assert open_of(None) is open_of(over) is open_of({}) is None
    assert open_of(began) == Open(stem="a1", severity="high")


def test_words_and_mail_are_the_settings() -> None:
    texts = {"application-down": "Our kitchen is closed.", "over": "Open again."}
    entry = entered(alert(), texts=texts, alert_title="TableTalk", alert_email=True)
    assert entry is not None
    update = update_of(entry.payload)
    assert update is not None and (update.name, update.mail) == ("TableTalk", True)
    assert update.body == "Our kitchen is closed. We are looking into it."
    assert told(open_=Open(stem="a1", severity="high"), texts=texts)[3] == "Open again."
    plain = entered(alert())
    assert plain is not None and update_of(plain.payload).mail is False  # type: ignore[union-attr]  # it holds one


@pytest.mark.parametrize("names", [VISIBLE, OTHERS])
def test_names_that_name_nothing_are_found(names: frozenset[str]) -> None:
    assert strange(replace(SETTINGS, alerts=(*names, "critical", "my-rule")), ["my-rule"]) == []
    assert strange(replace(SETTINGS, alerts=("critcal", "memory")), []) == ["critcal"]


def test_every_rule_that_users_notice_has_its_own_sentence() -> None:
    assert set(public_alerts._SENTENCES) == VISIBLE
