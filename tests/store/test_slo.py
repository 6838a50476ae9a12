"""The SLO board on real stores: what is counted, what used a budget up, and nothing of what came later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.configuration import Environment, Prometheus, PrometheusUsers, Secret
from console.model.metric_views import Objective, SloView
from console.model.metrics import Rollup
from console.model.observation import Buckets, Origin, Sample
from console.model.slo import BUDGET_S
from console.model.states import State
from console.store.history import HistoryWriter
from console.store.names import DAY_MS, HOUR_MS, MINUTE_MS
from console.store.observe import ObservedStore
from console.store.read import StoreReader
from tests.store.samples import ENVIRONMENT, START_MS, ManualClock, component, holder, judged, observed, verdict

NOW_MS = START_MS - START_MS % HOUR_MS
FULL = replace(ENVIRONMENT, metrics="/api/metrics", database=Secret("postgresql://u@db.example.com/d"))
BAD_MS = NOW_MS - 10 * DAY_MS


def gauge(value: float, n: int = 12, minutes: int = 1) -> Rollup:
    return Rollup(n=n, sum=value * n, min=value, max=value, minutes=minutes)


def growth(value: float, minutes: int = 60) -> Rollup:
    return Rollup(n=4 * minutes, sum=value, min=0, max=value, minutes=minutes)


def latencies(*values: float, minutes: int = 60) -> Rollup:
    made = Rollup.of(values, distribution=True)
    assert made is not None
    return replace(made, minutes=minutes)


def read(
    path: Path, environment: Environment = FULL, at_ms: int | None = None, now_ms: int = NOW_MS, **more: tuple[int, ...]
) -> SloView:
    reader = StoreReader(path, path.with_name("records.db"), environment, None, lambda: now_ms)
    try:
        first = reader.slo(at_ms, **more)
        assert reader.slo(at_ms, **more).objectives == first.objectives, "what is kept of closed hours changes nothing"
        return first
    finally:
        reader.close()


def of(view: SloView, key: str) -> Objective:
    return next(each for each in view.objectives if each.key == key)


def author(path: Path, days: int = 30, *, users: bool = True, half_ms: int = 0) -> None:
    """Thirty good days but for one hour, ten days ago, in which the application was down and half of the requests
    failed; each hour 1,000 requests, of which 40 are slow. In the hour from `half_ms` it was up for half of it."""
    first_ms = NOW_MS - days * DAY_MS
    with HistoryWriter(path) as writer:
        for began_ms, until_ms, state in (
            (first_ms, BAD_MS, State.HEALTHY),
            (BAD_MS, BAD_MS + HOUR_MS, State.UNHEALTHY),
            (BAD_MS + HOUR_MS, NOW_MS, State.HEALTHY),
        ):
            for key in ("application", "users"):
                writer.component(component(key, state, targets=("health",)), began_ms, until_ms - 5000)
            told = verdict(state, *(["application.down"] if state is State.UNHEALTHY else []))
            writer.verdict(told, began_ms, until_ms - 5000)
        hours = range(first_ms, NOW_MS, HOUR_MS)
        writer.hours(
            "application|up", [(at, gauge(0.5 if at == half_ms else float(at != BAD_MS), 720, 60)) for at in hours]
        )
        writer.hours("postgres.canary|latency_ms", [(at, latencies(*[2.0] * 98, 150, 150)) for at in hours])
        writer.hours("postgres.canary|ok", [(at, gauge(1.0, 100, 60)) for at in hours])
        if users:
            slow = Buckets((100.0, 200.0, 1000.0), (800.0, 160.0, 40.0))
            whole = Rollup.of_buckets([slow])
            assert whole is not None
            writer.hours("metrics|latency_ms", [(at, replace(whole, minutes=60)) for at in hours])
            writer.hours("metrics|requests", [(at, growth(1000.0)) for at in hours])
            writer.hours("metrics|errors", [(at, growth(500.0 if at == BAD_MS else 0.0)) for at in hours])
            writer.hours("metrics|memory_bytes", [(at, gauge(600.0, 240, 60)) for at in hours])
            writer.hours("metrics|memory_limit_bytes", [(at, gauge(1000.0, 240, 60)) for at in hours])
        writer.figures(judged(NOW_MS - 5000, (component(targets=("health",)),)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observed.db"


def test_thirty_authored_days(path: Path) -> None:
    author(path)
    view = read(path)
    month = {objective.key: objective.cells[-1] for objective in view.objectives}
    assert month["p95"].good_share == pytest.approx(0.96)
    assert month["errors"].value == pytest.approx(500 / 720_000)
    assert month["uptime"].value == pytest.approx(719 / 720)
    assert month["memory"].value == pytest.approx(0.6)
    assert month["query"].good_share == pytest.approx(0.98)
    left = {objective.key: objective.budget_left for objective in view.objectives}
    assert left["p95"] == pytest.approx(1 - 0.04 / 0.05)
    assert left["errors"] == pytest.approx(1 - 500 / 7200)
    assert left["uptime"] == pytest.approx(1 - 1 / 720 / 0.001)
    assert left["memory"] == 1.0
    assert of(view, "uptime").state is State.UNHEALTHY, "overdrawn"
    assert of(view, "errors").state is State.HEALTHY
    assert {objective.origin for objective in view.objectives} == {Origin.USERS, Origin.PROBE, Origin.SQL}


def test_uptime_is_that_of_health(path: Path) -> None:
    author(path)
    reader = StoreReader(path, path.with_name("records.db"), FULL, None, lambda: NOW_MS - 1234)
    cells = of(reader.slo(None), "uptime").cells
    health = {cell.window_s: cell for cell in reader.health(None).uptime}
    assert cells[2].good_share == health[DAY_MS // 1000].up_share
    assert cells[3].good_share == health[BUDGET_S].up_share
    assert cells[3].observed_share == health[BUDGET_S].observed_share
    assert of(reader.slo(None), "uptime").budget_left == health[BUDGET_S].budget_left_share
    reader.close()


def test_an_incident_is_what_used_the_budget_up_with_its_share_words_and_cause(path: Path) -> None:
    author(path)
    (used,) = of(read(path), "uptime").consumers
    assert (used.began_ms, used.component) == (BAD_MS, "application")
    assert used.ended_ms is not None and abs(used.ended_ms - BAD_MS - HOUR_MS) < MINUTE_MS
    assert used.budget_share == pytest.approx(1 / 720 / 0.001)
    assert (used.text, used.cause) == ("application.down is unhealthy", "deployment 8f3c1d2")


def test_shares_of_what_used_a_budget_up_are_what_is_missing_of_it(path: Path) -> None:
    author(path)
    for objective in read(path).objectives:
        assert objective.budget_left is not None
        used = sum(each.budget_share for each in objective.consumers)
        assert used == pytest.approx(1 - objective.budget_left, abs=0.01), objective.key
    rest = of(read(path), "p95").consumers[0]
    assert "a little at all times" in rest.text and rest.subject == ""


def test_hours_that_missed_their_target_count_though_nothing_was_judged(path: Path) -> None:
    author(path)
    odd_ms = NOW_MS - 3 * DAY_MS
    with HistoryWriter(path) as writer:
        writer.hours("metrics|errors", [(odd_ms, growth(300.0)), (odd_ms + HOUR_MS, growth(100.0))])
    used = of(read(path), "errors").consumers
    odd = next(each for each in used if each.began_ms == odd_ms)
    assert odd.ended_ms == odd_ms + 2 * HOUR_MS
    assert odd.budget_share == pytest.approx(400 / 7200)
    assert "20 % of the requests missed the target" in odd.text and odd.cause is None


def test_a_moment_in_the_past_knows_nothing_of_what_came_later(path: Path) -> None:
    author(path)
    before = of(read(path, at_ms=BAD_MS), "uptime")
    assert before.cells[-1].good_share == 1.0 and before.consumers == () and before.state is not State.DEGRADED
    within = of(read(path, at_ms=BAD_MS + 30 * MINUTE_MS), "uptime")
    assert within.cells[-1].good_share == 1.0, "the hour is not closed yet"
    after = of(read(path, at_ms=BAD_MS + HOUR_MS), "uptime")
    assert after.cells[-1].good_share is not None and after.cells[-1].good_share < 1.0
    assert after.consumers[0].budget_share > 1


def test_reading_past_and_present_in_any_order_gives_the_same(path: Path) -> None:
    author(path)
    reader = StoreReader(path, path.with_name("records.db"), FULL, None, lambda: NOW_MS)
    moments = [None, BAD_MS, BAD_MS + 2 * HOUR_MS, NOW_MS - DAY_MS, NOW_MS - 40 * DAY_MS, None]
    for at_ms in [*moments, *reversed(moments)]:
        assert reader.slo(at_ms).objectives == read(path, at_ms=at_ms).objectives, at_ms
    reader.close()


def test_without_users_metrics_the_figures_are_probes_and_named_so_and_there_is_no_budget(path: Path) -> None:
    author(path, users=False)
    with HistoryWriter(path) as writer:
        for route in ("/", "/pricing"):
            answered = latencies(*[50.0] * 9, 900)
            writer.hours(f"route:{route}|latency_ms", [(NOW_MS - HOUR_MS, answered)])
            writer.hours(f"route:{route}|ok", [(NOW_MS - HOUR_MS, gauge(0.75, 12, 60))])
    view = read(path, replace(FULL, metrics=None))
    p95, errors = of(view, "p95"), of(view, "errors")
    for objective in (p95, errors):
        assert (objective.origin, objective.counted) == (Origin.PROBE, "probes")
        assert objective.state in (State.UNKNOWN, State.STALE)
        assert objective.budget_left is None and objective.consumers == ()
        assert objective.absent is not None and "/api/metrics" in objective.absent
        assert all(rate.long is None and not rate.firing for rate in objective.burn)
    assert errors.cells[1].value == pytest.approx(0.25)
    assert p95.cells[1].good_share == pytest.approx(18 / 24), "what was not answered was not within the bound"
    assert p95.cells[-1].value is None
    configured = of(read(path, FULL), "p95")
    assert configured.origin is Origin.USERS and configured.cells[1].value is None


def test_memory_counts_by_minutes_though_the_hour_is_within_its_target(path: Path) -> None:
    author(path)
    hour = NOW_MS - 5 * HOUR_MS
    minutes = [(hour + n * MINUTE_MS, gauge(900.0 if n < 6 else 500.0)) for n in range(60)]
    whole = Rollup.merged([rollup for _, rollup in minutes])
    assert whole is not None and whole.mean < 800
    with HistoryWriter(path) as writer:
        limits = [(at, gauge(1000.0)) for at, _ in minutes]
        writer.minutes("metrics|memory_limit_bytes", limits)
        writer.hours("metrics|memory_bytes", [(hour, whole)])
        writer.minutes("metrics|memory_bytes", minutes)
    day = of(read(path), "memory").cells[2]
    assert day.good_share == pytest.approx(1 - 6 / 1440)
    limited = of(read(path, replace(FULL, memory_limit_bytes=550)), "memory").cells[2]
    assert limited.good_share == pytest.approx(0.0), "the limit of the settings goes before the measured one"


def test_queries_that_were_not_answered_were_not_within_the_bound(path: Path) -> None:
    author(path)
    hour = NOW_MS - 5 * HOUR_MS
    with HistoryWriter(path) as writer:
        writer.hours("postgres.canary|latency_ms", [(hour, latencies(*[2.0] * 50))])
        writer.hours("postgres.canary|ok", [(hour, gauge(0.5, 100, 60))])
    assert of(read(path), "query").cells[2].good_share == pytest.approx((23 * 98 + 50) / 2400)


def test_a_young_store_knows_what_it_has_seen_and_says_how_little_that_is(path: Path) -> None:
    author(path, days=1)
    uptime = of(read(path), "uptime")
    assert [cell.good_share for cell in uptime.cells] == [None, 1.0, 1.0, None]
    assert uptime.cells[-1].observed_share == pytest.approx(1 / 30)
    assert uptime.budget_left is None and uptime.consumers == ()


def test_no_store_and_an_empty_one_are_unknown_and_say_what_to_do(path: Path) -> None:
    for objective in read(path).objectives:
        assert objective.state is State.UNKNOWN and "radar collect" in (objective.absent or "")
    with HistoryWriter(path) as writer:
        writer.figures(judged(NOW_MS, (component(),)))
    for objective in read(path).objectives:
        assert objective.state in (State.UNKNOWN, State.STALE) and objective.absent
    query = of(read(path, replace(FULL, database=None)), "query")
    assert query.state is State.NOT_CONFIGURED and "database =" in (query.absent or "")


def test_other_windows_can_be_asked_for(path: Path) -> None:
    author(path)
    (cell,) = of(read(path, windows_s=(7 * 86_400,)), "errors").cells
    assert (cell.window_s, cell.counted) == (7 * 86_400, 168_000)
    assert of(read(path, windows_s=(7 * 86_400,)), "errors").budget_left == of(read(path), "errors").budget_left


# --- a store that is being collected ----------------------------------------------------------------------------------


class Live:
    """A collector by hand: a round each five seconds, users' metrics with each third."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.store = ObservedStore.open(path, self.clock)
        lease = self.store.acquire(holder())
        assert lease is not None
        self.lease = lease
        self.raw: list[tuple[int, float, float, float]] = []

    def pass_time(self, minutes: float, *, up: float = 1.0, error_share: float = 0.0) -> None:
        for number in range(int(minutes * 12)):
            at_ms = self.clock.pass_ms(5000)
            state = State.HEALTHY if up else State.UNHEALTHY
            judgement = replace(
                judged(at_ms, (component(state=state),), verdict(state)), samples={"application": {"up": up}}
            )
            scraped: dict[str, Sample] = {"requests": 100.0, "errors": 100.0 * error_share}
            seen = [observed("metrics", samples=scraped)] if number % 3 == 0 else []
            self.raw.append((at_ms, up, 100.0 * len(seen), 100.0 * error_share * len(seen)))
            self.store.write_round(self.lease, at_ms, [observed(), *seen], judgement, {"health": 5.0, "metrics": 15.0})
            if number % 60 == 0:
                self.store.maintain(self.lease, at_ms)


@pytest.fixture
def live(path: Path) -> Iterator[Live]:
    made = Live(path)
    yield made
    made.store.close()


@pytest.mark.parametrize("minutes", [4, 9, 12, 61, 130])
def test_windows_of_a_living_store_are_the_raw_samples_within_a_minute(live: Live, path: Path, minutes: int) -> None:
    live.pass_time(minutes - 2)
    live.pass_time(2, up=0.0, error_share=0.3)
    now_ms = live.clock.wall
    reader = StoreReader(path, path.with_name("records.db"), FULL, None, lambda: now_ms)
    view = reader.slo(None)
    reader.close()
    for index, window_s in ((0, 300), (1, 3600), (2, 86_400)):
        for key, bad, all_of in (("uptime", 1, None), ("errors", 3, 2)):
            low, high = (
                [row for row in live.raw if row[0] >= now_ms - window_s * 1000 + slack] for slack in (0, MINUTE_MS)
            )
            cell = of(view, key).cells[index]
            counts = [sum(row[all_of] if all_of else 1 for row in rows) for rows in (high, low)]
            assert counts[0] <= cell.counted <= counts[1], (key, window_s)
            if cell.good_share is not None:
                wrong = sum(1 - row[bad] if all_of is None else row[bad] for row in low)
                assert (1 - cell.good_share) * cell.counted == pytest.approx(wrong), (key, window_s)


def test_the_collector_is_told_how_fast_budgets_burn(live: Live) -> None:
    limits = FULL.thresholds
    live.pass_time(20)
    assert all(rate.long is None for rate in live.store.burn_rates(limits)["uptime"]), "a fresh start says nothing"
    live.pass_time(41)
    calm = live.store.burn_rates(limits)
    assert set(calm) == {"uptime", "errors"}
    assert (calm["uptime"][0].long, calm["uptime"][0].firing) == (0.0, False)
    live.pass_time(2, up=0.0, error_share=1.0)
    fast = live.store.burn_rates(limits)["uptime"][0]
    assert fast.firing and fast.long == pytest.approx(2 / 60 / 0.001, rel=0.05)
    errors = live.store.burn_rates(limits)["errors"][0]
    assert not errors.firing and errors.short is not None and errors.short > 14.4, "3 % of an hour's requests"
    live.pass_time(6)
    over = live.store.burn_rates(limits)["uptime"][0]
    assert not over.firing and over.long is not None and over.long > 14.4 and over.short == 0.0


def test_an_incident_that_goes_on_has_no_end(live: Live, path: Path) -> None:
    author_ms = live.clock.wall
    live.pass_time(2, up=0.0)
    reader = StoreReader(path, path.with_name("records.db"), FULL, None, lambda: live.clock.wall)
    assert of(reader.slo(None), "uptime").consumers == (), "no budget is known yet"
    reader.close()
    with HistoryWriter(path.with_name("old.db")) as writer:
        days = range(author_ms - 20 * DAY_MS, author_ms - HOUR_MS, HOUR_MS)
        writer.hours("application|up", [(at - at % HOUR_MS, gauge(1.0, 720, 60)) for at in days])
        writer.component(component(state=State.UNHEALTHY), author_ms - 10 * MINUTE_MS, author_ms)
        first = author_ms - author_ms % MINUTE_MS
        writer.minutes("application|up", [(first - n * MINUTE_MS, gauge(0.0)) for n in range(1, 9)])
        writer.figures(judged(author_ms, (component(),)))
    (used,) = of(read(path.with_name("old.db"), now_ms=author_ms + 1000), "uptime").consumers
    assert used.ended_ms is None and used.began_ms == author_ms - 10 * MINUTE_MS
    (ended,) = of(read(path.with_name("old.db"), now_ms=author_ms + 5 * MINUTE_MS), "uptime").consumers
    assert ended.ended_ms is not None


@pytest.mark.parametrize("second", [0, 1, 30, 59])
def test_a_moment_within_a_minute_has_seen_all_of_the_minutes_before(path: Path, second: int) -> None:
    author(path, users=False)
    with HistoryWriter(path) as writer:
        minutes = range(NOW_MS - 2 * HOUR_MS, NOW_MS, MINUTE_MS)
        writer.minutes("application|up", [(at, gauge(1.0)) for at in minutes])
    at_ms = NOW_MS - HOUR_MS // 2 + second * 1000
    found = of(read(path, at_ms=at_ms), "uptime").cells
    assert [cell.observed_share for cell in found[:2]] == [1.0, 1.0]
    assert [cell.counted for cell in found[:2]] == [5 * 12, 60 * 12]


def test_the_budget_of_uptime_is_that_of_health_at_any_moment(path: Path) -> None:
    author(path, users=False)
    reader = StoreReader(path, path.with_name("records.db"), FULL, None, lambda: NOW_MS)
    for at_ms in (NOW_MS - 1, NOW_MS - 12_345, NOW_MS - 3 * HOUR_MS + 7, NOW_MS - 9 * DAY_MS - 31_000):
        health = reader.health(at_ms).uptime[-1]
        objective = of(reader.slo(at_ms), "uptime")
        assert objective.budget_left == health.budget_left_share
        assert objective.cells[-1].observed_share == health.observed_share
    reader.close()


def test_users_that_a_prometheus_tells_of_are_named_so(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    author(path)
    users = PrometheusUsers(requests="sum(rate(r[1m]))", errors="sum(rate(e[1m]))", duration="d")
    told = replace(FULL, metrics=None, prometheus=Prometheus(url="http://127.0.0.1:9", users=users))
    assert of(read(path, told), "errors").origin is Origin.PROMETHEUS
    assert of(read(path, FULL), "errors").origin is Origin.USERS
    assert of(read(path, replace(FULL, metrics=None)), "uptime").origin is Origin.PROBE
