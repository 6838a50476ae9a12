"""Alerts on rates over minutes: what the newest samples no longer show begins none."""

from __future__ import annotations

from console.model.alerts import Says
from tests.model.scene import Scene
from tests.model.test_alerts import says
from tests.model.test_components import poll_routes, scrape


def test_a_rate_whose_newest_samples_are_clean_begins_no_alert() -> None:
    """As after a rollback: five minutes are full of errors still, the last rounds have none."""
    users, probes = scrape(Scene("metrics"), 200, 60, 0, 0), poll_routes(Scene("route:/", "route:/pricing"), "x" * 24)
    assert says(users, "error-rate") is says(probes, "probe-error-rate") is Says.BREACHED
    scrape(users, 200, 0, 0, 0, times=1)
    poll_routes(probes, "....")
    assert says(users, "error-rate") is says(probes, "probe-error-rate") is Says.BETWEEN
    scrape(users, 200, 20, 0, 0, times=1)
    poll_routes(probes, ".x")
    assert says(users, "error-rate") is says(probes, "probe-error-rate") is Says.BREACHED, "it goes on"


def test_few_newest_samples_prove_nothing_and_a_rate_of_a_quiet_hour_still_alerts() -> None:
    scene = scrape(Scene("metrics"), 6, 1, 0, 0, times=6)
    assert says(scrape(scene, 1, 0, 0, 0, times=1), "error-rate") is Says.BREACHED


def test_a_slow_stretch_that_is_over_begins_no_alert() -> None:
    scene = poll_routes(Scene("route:/", "route:/pricing"), "." * 30, 4_000.0)
    assert says(scene, "probe-response-time") is Says.BREACHED
    assert says(poll_routes(scene, "." * 12), "probe-response-time") is Says.BETWEEN
