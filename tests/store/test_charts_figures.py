"""What is said beside a line: its value now, its peak or lowest, how long it was beyond its target - at any step."""

from __future__ import annotations

from pathlib import Path

from tests.store.charts import Charts, line
from tests.store.samples import judged


def test_a_chart_with_a_floor_tells_the_lowest_and_no_peak(tmp_path: Path) -> None:
    charts = Charts(tmp_path)
    for up in (1.0, 1.0, 0.0, 1.0):
        now_ms = charts.clock.pass_ms(5000)
        charts.store.write_round(charts.lease, now_ms, [], judged(now_ms, up=up), {})
    found = line(charts.view("application"), "availability", "up")
    assert (found.lowest, found.peak) == (0.0, None)
    charts.polls(3, latency_ms=2.0)
    canary = line(charts.view(), "canary", "p95")
    assert (canary.lowest, canary.peak) == (None, 2.0)
