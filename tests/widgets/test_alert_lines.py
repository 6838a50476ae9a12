"""The Alerts list and its detail as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.configuration import Severity
from console.model.states import State
from console.model.views import AlertsView
from tests.screens.sample import NOW, header
from tests.screens.sample_alerts import FIRING, alerts
from widgets.alert_detail import alert_detail
from widgets.alert_lines import AlertList, foremost
from widgets.glyphs import UNICODE
from widgets.lines import plain, width_of


def rows(view: AlertsView, width: int = 80, selected: str | None = None, words: str = "") -> str:
    return plain([line for line, _ in AlertList(view, width, NOW, UNICODE, selected, words).rows()])


@pytest.mark.parametrize("width", range(60, 200, 11))
def test_every_line_is_exactly_as_wide(width: int) -> None:
    made = AlertList(alerts(), width, NOW, UNICODE, "alert:7").rows()
    assert {width_of(line) for line, _ in made} == {width}


def test_every_thing_can_be_selected_once() -> None:
    keys = [key for _, key in AlertList(alerts(), 80, NOW, UNICODE, None).rows() if key is not None]
    assert len(keys) == len(set(keys)) == 2 + 1 + 6 + 2


def test_firing_says_who_has_it_in_hand() -> None:
    shown = rows(alerts())
    assert "routes: 38 % of requests fail" in shown and "seen by op1" in shown


def test_rules_that_fire_or_are_near_come_first() -> None:
    shown = rows(alerts())
    order = [shown.index(name) for name in ("✗ firing", "▲ pending", "? unknown", "● ok")]
    assert order == sorted(order)


def test_nothing_firing_says_what_is_watched() -> None:
    shown = rows(alerts(firing=()))
    assert "● No alert is firing." in shown and "6 rules watched" in shown


def test_nothing_judged_is_not_called_well() -> None:
    shown = rows(alerts(firing=(), rules=(), history=(), silences=()))
    assert "No round was judged yet." in shown and "?" in shown and "●" not in shown


@pytest.mark.parametrize("case", ["dead", "stale"])
def test_when_nobody_judges_nothing_is_called_well(case: str) -> None:
    dead = replace(header(), collector=replace(header().collector, alive=False))
    now = dead if case == "dead" else header(State.STALE)
    shown = rows(alerts(firing=(), header=now))
    assert "FIRING ?" in shown and "? Not known whether an alert should fire." in shown and "●" not in shown
    assert "ok" not in shown.split() and shown.count("? unknown") == 6


def test_the_filter_keeps_lines_with_every_word_and_says_of_how_many() -> None:
    shown = rows(alerts(), words="connections database")
    assert "FIRING 1 of 2" in shown and "38 % of requests" not in shown


@pytest.mark.parametrize("key", ["alert:7", "alert:8", "alert:5", "rule:memory-high", "silence:1"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_details_are_exactly_as_wide_and_never_empty(key: str, width: int) -> None:
    lines = alert_detail(alerts(), key, width, NOW, UNICODE)
    assert lines and {width_of(line) for line in lines} == {width}


def test_the_detail_tells_times_in_full_and_who_has_seen_it() -> None:
    shown = plain(alert_detail(alerts(), "alert:8", 100, NOW, UNICODE))
    assert "2025-11-22 03:10:44 UTC, 2 m ago" in shown and "looking at the pool" in shown
    assert "nobody yet" in plain(alert_detail(alerts(), "alert:7", 100, NOW, UNICODE))


def test_what_is_gone_has_no_detail() -> None:
    assert alert_detail(alerts(firing=(), history=()), f"alert:{FIRING[0].id}", 80, NOW, UNICODE) == []
    assert alert_detail(alerts(), None, 80, NOW, UNICODE) == []


def test_a_subject_that_begins_the_words_is_told_once() -> None:
    alert = replace(FIRING[0], subject="gateway", text="gateway: 502, while direct SQL answers")
    shown = rows(alerts(firing=(alert,)))
    assert "gateway: 502" in shown and "gateway: gateway" not in shown


def test_what_nobody_has_in_hand_comes_first_then_the_worst() -> None:
    seen = replace(FIRING[0], severity="critical", acknowledged_ms=NOW, acknowledged_by="op1")
    low = replace(FIRING[1], id=9, severity="low", acknowledged_ms=None)
    assert foremost((seen, low)) is low
    assert foremost((replace(seen, acknowledged_ms=None), low)).severity == "critical"


def test_a_rule_that_fires_has_the_sign_of_its_severity() -> None:
    signs: dict[Severity, str] = {"low": "▲", "critical": "✗"}
    for severity, sign in signs.items():
        rule = replace(alerts().rules[0], severity=severity, state="firing")
        view = alerts(firing=(), history=(), rules=(rule,))
        rows = plain([line for line, _ in AlertList(view, 80, NOW, UNICODE, None).rows()])
        assert f"{sign} firing" in rows
