"""`radar metrics` on real stores: what is met, missed and unknown, and the statuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metrics import Rollup
from console.model.states import State
from console.store.clock import SystemClock
from console.store.history import HistoryWriter
from tests.commands.conftest import Collector, Radar, Site
from tests.store import samples

M, H, D = 60_000, 3_600_000, 86_400_000


def gauge(value: float, minutes: int) -> Rollup:
    return Rollup(n=12 * minutes, sum=12 * minutes * value, min=value, max=value, minutes=minutes)


def author(path: Path, *, down_minutes: int = 0) -> None:
    """Thirty days up, but for the last minutes; canaries of 2 ms."""
    now_ms = SystemClock().wall_ms()
    last = now_ms // H * H
    with HistoryWriter(path) as writer:
        writer.hours("application|up", [(at, gauge(1.0, 60)) for at in range(last - 30 * D, last, H)])
        minutes = range(last - H, now_ms // M * M, M)
        writer.minutes("application|up", [(at, gauge(float(at < now_ms - down_minutes * M), 1)) for at in minutes])
        canary = Rollup.of([2.0] * 12, distribution=True)
        assert canary is not None
        writer.minutes("postgres.canary|latency_ms", [(at, canary) for at in minutes])
        # In the first minute of an hour every one of these minutes is of an hour that is closed.
        hour = Rollup.merged([canary] * 60)
        assert hour is not None
        writer.hours("postgres.canary|latency_ms", [(last - H, hour)])


@pytest.fixture
def authored(site: Site) -> None:
    author(site.settings.observed_path)


def test_targets_that_are_met(authored: None, collector: Collector, radar: Radar) -> None:
    collector.round()
    done = radar("metrics", "--window", "24h")
    assert done.status == 0, done.out + done.err
    for words in (
        "TARGETS OVER 24 H",
        "● met      uptime",
        "100 %",
        "> 99.9 %",
        "probe",
        "BUDGET OF 30 DAYS",
        "100 % left",
    ):
        assert words in done.out
    assert "? unknown  p95 response" in done.out and "/api/metrics" in done.out
    assert "APPLICATION OVER 24 H" in done.out


def test_where_nothing_is_known_nothing_is_met(collector: Collector, radar: Radar) -> None:
    assert radar("metrics").status == 1
    collector.round()
    done = radar("metrics", "--json")
    assert done.status == 1 and {target["met"] for target in done.document["targets"]} == {None}


def test_an_outage_of_half_an_hour_misses_uptime(site: Site, radar: Radar, request: pytest.FixtureRequest) -> None:
    author(site.settings.observed_path, down_minutes=30)
    request.getfixturevalue("collector").round()
    done = radar("metrics")
    assert done.status == 1 and "▲ missed" in done.out and "FIRES" in done.out
    uptime = radar("metrics", "--json").document["targets"][2]
    assert uptime["met"] is False and uptime["burn"][0]["firing"] is True
    assert uptime["good_share"] == pytest.approx(0.5, abs=0.05)


def test_the_document(authored: None, collector: Collector, radar: Radar) -> None:
    collector.round()
    document = json.loads(radar("metrics", "--window", "7d", "--json", "--page", "database").out)
    assert set(document) == {"at", "environment", "collecting", "window", "targets", "figures"}
    assert (document["window"], document["collecting"]) == ("7d", True)
    found = {target["key"]: target for target in document["targets"]}
    assert list(found) == ["p95", "errors", "uptime", "memory", "query"]
    uptime = found["uptime"]
    assert (uptime["met"], uptime["value"], uptime["origin"], uptime["counts"]) == (True, 1.0, "probe", "rounds")
    assert (uptime["target"], uptime["objective"], uptime["budget_left_share"]) == (0.999, 0.999, 1.0)
    assert [(rate["long"], rate["short"], rate["limit"]) for rate in uptime["burn"]] == [
        ("1 h", "5 min", 14.4), ("6 h", "30 min", 6.0), ("3 d", "6 h", 1.0),
    ]  # fmt: skip
    assert uptime["observed_share"] == pytest.approx(1.0, abs=0.01) and uptime["counted"] > 100_000
    assert found["p95"]["met"] is None and found["p95"]["value"] is None and found["p95"]["absent"]
    assert all(set(figure) >= {"chart", "line", "unit", "now", "peak", "origin"} for figure in document["figures"])


def test_nobody_judges_is_status_1_and_said(authored: None, radar: Radar) -> None:
    done = radar("metrics", "--window", "24h")
    assert done.status == 1 and "nobody collects" in done.err
    assert "● met      uptime" in done.out, "what was measured stays measured"


def test_no_store_is_unknown_and_one_that_cannot_be_read_is_status_2(site: Site, radar: Radar) -> None:
    done = radar("metrics")
    assert done.status == 1 and "radar collect" in done.out
    site.settings.observed_path.parent.mkdir(parents=True, exist_ok=True)
    site.settings.observed_path.write_bytes(b"no database at all " * 500)
    broken = radar("metrics")
    assert broken.status == 2 and broken.err.startswith("radar: ") and broken.out == ""


@pytest.mark.parametrize("typed", [("--window", "3d"), ("--page", "weather"), ("extra",)])
def test_usage_is_status_3(radar: Radar, typed: tuple[str, ...]) -> None:
    assert radar("metrics", *typed).status == 3


@pytest.mark.parametrize("window", ["5m", "1h", "24h", "7d", "30d"])
def test_every_window_can_be_asked_for(authored: None, collector: Collector, radar: Radar, window: str) -> None:
    collector.round()
    assert radar("metrics", "--window", window, "--json").document["window"] == window


def test_what_is_missed_is_never_told_as_healthy(site: Site, radar: Radar, request: pytest.FixtureRequest) -> None:
    """Five slow hours a day ago: over a day the canary misses its target, while its budget is hardly touched."""
    author(site.settings.observed_path)
    first = SystemClock().wall_ms() // H * H - 30 * D
    fast, slow = (Rollup.of([value] * 100, distribution=True) for value in (2.0, 400.0))
    assert fast is not None and slow is not None
    with HistoryWriter(site.settings.observed_path) as writer:
        for hour in range(720):
            found = slow if 700 <= hour < 705 else fast
            writer.hours("postgres.canary|latency_ms", [(first + hour * H, replace(found, minutes=60))])
    request.getfixturevalue("collector").round()
    query = radar("metrics", "--window", "24h", "--json").document["targets"][4]
    assert (query["met"], query["state"]) == (False, "degraded") and query["budget_left_share"] > 0.5
    query = radar("metrics", "--window", "30d", "--json").document["targets"][4]
    assert (query["met"], query["state"]) == (True, "healthy")


def test_what_is_doubtful_is_told_beside_the_figures(site: Site, collector: Collector, radar: Radar) -> None:
    site.file.write_text(
        site.file.read_text()
        + '[environments.production.prometheus]\nurl = "http://127.0.0.1:1"\n'
        + '[[environments.production.custom]]\nname = "mails"\nquery = "up"\n'
    )
    collector.round()
    words = "gives one series; the answer is partial: a part of the cluster did not answer"
    seen = samples.observed("prometheus:mails", State.DEGRADED, words=words, samples={"value": 4.0})
    collector.store.write_round(collector.lease, collector.last_ms + 1, [seen], None, {"prometheus:mails": 60.0})
    done = radar("metrics", "--page", "custom")
    assert "MAILS: gives one series; the answer is partial" in done.out
    (figure,) = radar("metrics", "--page", "custom", "--json").document["figures"]
    assert figure["now"] == 4.0 and figure["trouble"].startswith(words)
