"""The parser of Prometheus' formats and the growth between scrapes: tolerant, exact, never negative."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.observation import Buckets
from console.model.prometheus import Exposition, Growth, Scrapes, parse

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "supabase_metrics.json").read_text("utf-8"))


def growth(before: str, now: str) -> Growth:
    scrapes = Scrapes()
    assert scrapes.since_last(parse(before)) is None
    found = scrapes.since_last(parse(now))
    assert found is not None
    return found


def test_the_recorded_exposition() -> None:
    exposition = parse(FIXTURE["cases"][0]["body_text"])
    assert exposition.malformed == 0
    assert exposition.gauge("node_memory_MemAvailable_bytes") == 4.194304e8
    assert exposition.gauge("pg_stat_database_num_backends") == 41
    assert exposition.gauge("pg_database_size_mb") is None  # NaN is no value, and never 0
    assert exposition.types["http_request_duration_seconds"] == "histogram"


@pytest.mark.parametrize(
    ("line", "name", "labels", "value"),
    [
        ("up 1", "up", {}, 1.0),
        ("up{} 1", "up", {}, 1.0),
        ('a:b{l="v",} -1e3 1395066363000', "a:b", {"l": "v"}, -1000.0),
        ('a{l="q\\"b\\\\n\\n",m="}"} +Inf', "a", {"l": 'q"b\\n\n', "m": "}"}, math.inf),
        ('a_total{ l = "v" , m="w" } 3 # {trace_id="x"} 0.5 1.2', "a_total", {"l": "v", "m": "w"}, 3.0),
        ('{"my.name", l="v"} 2', "my.name", {"l": "v"}, 2.0),
        ('{"my.name"} 2', "my.name", {}, 2.0),
        ('a{"dotted.label"="v"} 2', "a", {"dotted.label": "v"}, 2.0),
        ('a{l="日本"} 5\r', "a", {"l": "日本"}, 5.0),
    ],
)
def test_one_line(line: str, name: str, labels: dict[str, str], value: float) -> None:
    exposition = parse(f"# HELP x y\n\n{line}\n# EOF\n")
    assert exposition.malformed == 0
    assert dict(exposition.values) == {(name, tuple(sorted(labels.items()))): value}


@pytest.mark.parametrize(
    "line",
    [
        "up",
        "up one",
        "up 1_000",
        "1up 1",
        'a{l="v} 1',
        "a{l=v} 1",
        'a{l="v"',
        "a 1 2 3",
        "<html>",
        '{l="v"} 1',
        "a{ 1",
        '"',
    ],
)
def test_a_line_that_is_none_is_counted_and_the_rest_is_read(line: str) -> None:
    exposition = parse(f"before 1\n{line}\nafter 2\n")
    assert exposition.malformed == 1
    assert (exposition.gauge("before"), exposition.gauge("after")) == (1.0, 2.0)


LABELS = st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True), st.text(max_size=8), max_size=3)
VALUES = st.floats(allow_nan=False)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@given(st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True), LABELS, VALUES)
def test_what_is_written_is_read_again(name: str, labels: dict[str, str], value: float) -> None:
    written = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
    exposition = parse(f"{name}{{{written}}} {value!r}")
    assert dict(exposition.values) == {(name, tuple(sorted(labels.items()))): value}


@given(st.text() | st.text(st.sampled_from('a{}="\\,# 1e+\n'), max_size=200))
def test_nothing_makes_it_raise(text: str) -> None:
    exposition = parse(text)
    assert exposition.malformed <= text.count("\n") + 1


@pytest.mark.parametrize("unit", ["a{", '"', "\\", 'a{b="', 'l="v",', "#", "{"])
def test_a_megabyte_on_one_line_takes_linear_time(unit: str) -> None:
    text = 'a{l="' + unit * (1_000_000 // len(unit))
    began = time.process_time()
    parse(text)
    assert time.process_time() - began < 2.0


def test_the_first_scrape_has_no_growth() -> None:
    assert Scrapes().since_last(parse("a_total 5\n")) is None


def test_growth_over_label_sets_a_new_one_counts_from_zero() -> None:
    grown = growth('r_total{s="200"} 100\n', 'r_total{s="200"} 130\nr_total{s="500"} 4\n')
    assert grown.counter("r_total") == 34
    assert grown.counter("r_total", lambda labels: ("s", "500") in labels) == 4
    assert grown.counter("absent_total") is None


def test_a_restart_makes_no_spike_and_nothing_negative() -> None:
    grown = growth('r_total{s="200"} 1000\nr_total{s="500"} 3\n', 'r_total{s="200"} 10\nr_total{s="500"} 4\n')
    assert grown.counter("r_total") == 14  # one counter fell, so both began anew: 10 + 4, not 10 + 1


def test_a_restart_is_known_by_the_start_time_though_no_counter_fell() -> None:
    grown = growth("process_start_time_seconds 100\nr_total 5\n", "process_start_time_seconds 200\nr_total 7\n")
    assert grown.counter("r_total") == 7


def test_instances_that_answer_in_turn_are_each_compared_with_themselves() -> None:
    scrapes = Scrapes()
    first, second = "process_start_time_seconds 100\nr_total {}\n", "process_start_time_seconds 50\nr_total {}\n"
    assert scrapes.since_last(parse(first.format(1000))) is None
    assert scrapes.since_last(parse(second.format(9000))) is None  # an older one, never seen: its growth is unknown
    found = [scrapes.since_last(parse(text)) for text in (first.format(1010), second.format(9003))]
    assert [one.counter("r_total") for one in found if one is not None] == [10, 3]


def test_instances_in_turn_without_a_start_time_are_told_and_count_for_nothing() -> None:
    scrapes = Scrapes()
    for turn in range(8):
        found = scrapes.since_last(parse(f"r_total {1000 + turn if turn % 2 else 50 + turn}\n"))
    assert scrapes.are_mixed and found is None
    for turn in range(20):
        found = scrapes.since_last(parse(f"r_total {2000 + turn}\n"))
    assert not scrapes.are_mixed and found is not None and found.counter("r_total") == 1


def test_two_restarts_in_five_minutes_are_restarts() -> None:
    scrapes = Scrapes()
    found = [scrapes.since_last(parse(f"r_total {total}\n")) for total in (5, 9, 2, 6, 1, 4)]
    assert [one and one.counter("r_total") for one in found] == [None, 4, 2, 4, 1, 3]
    assert not scrapes.are_mixed


def test_what_grew_in_a_long_gap_is_dropped_instead_of_shown_at_its_end() -> None:
    scrapes = Scrapes(longest_s=45)
    found = [scrapes.since_last(parse(f"r_total {total}\n"), at_s) for total, at_s in ((5, 0), (9, 15), (2000, 3600))]
    assert [one and one.counter("r_total") for one in found] == [None, 4, None]
    after = scrapes.since_last(parse("r_total 2003\n"), 3615)
    assert after is not None and after.counter("r_total") == 3


def test_what_grew_over_a_missed_scrape_is_kept() -> None:
    scrapes = Scrapes(longest_s=45)
    assert scrapes.since_last(parse("r_total 5\n"), 0) is None
    found = scrapes.since_last(parse("r_total 12\n"), 45)
    assert found is not None and found.counter("r_total") == 7


@pytest.mark.parametrize(("age_s", "growth"), [(30, 7), (3600, None)])
def test_an_instance_first_seen_counts_only_when_it_has_just_begun(age_s: int, growth: int | None) -> None:
    scrapes, text = Scrapes(longest_s=45), "process_start_time_seconds {}\nr_total {}\n"
    assert scrapes.since_last(parse(text.format(100, 1000)), 0, 10_000) is None
    found = scrapes.since_last(parse(text.format(10_015 - age_s, 7)), 15, 10_015)
    assert (found and found.counter("r_total")) == growth


@given(st.lists(st.lists(st.floats(0, 1e12), min_size=3, max_size=3), min_size=2, max_size=8))
def test_growth_is_never_negative(scrapes: list[list[float]]) -> None:
    remembered = Scrapes()
    for counts in scrapes:
        lines = "".join(
            f'h_bucket{{le="{bound}"}} {count}\n' for bound, count in zip((1, 2, "+Inf"), counts, strict=True)
        )
        grown = remembered.since_last(parse(lines + f"h_count {counts[-1]}\n"))
        if grown is not None:
            assert (grown.counter("h_count") or 0) >= 0
            buckets = grown.buckets("h")
            assert buckets is None or min(buckets.counts) >= 0


BEFORE = """
h_bucket{route="/a",le="0.1"} 10
h_bucket{route="/a",le="0.5"} 15
h_bucket{route="/a",le="+Inf"} 16
h_sum{route="/a"} 3
h_count{route="/a"} 16
"""
NOW = """
h_bucket{route="/a",le="0.1"} 12
h_bucket{route="/a",le="0.5"} 20
h_bucket{route="/a",le="+Inf"} 22
h_sum{route="/a"} 6
h_count{route="/a"} 22
h_bucket{route="/b",le="0.2"} 1
h_bucket{route="/b",le="+Inf"} 3
h_sum{route="/b"} 3
h_count{route="/b"} 3
"""


def test_histograms_grow_per_label_set_and_are_then_combined() -> None:
    grown = growth(BEFORE, NOW)
    buckets = grown.buckets("h", 1000.0)
    assert buckets == Buckets((100.0, 200.0, 500.0, math.inf), (2.0, 1.0, 3.0, 3.0))
    assert sum(buckets.counts) == grown.counter("h_count")
    assert grown.mean("h", 1000.0) == pytest.approx(6 / 9 * 1000)


def test_a_histogram_without_the_last_bucket_takes_the_count() -> None:
    grown = growth('h_bucket{le="1"} 1\nh_count 1\n', 'h_bucket{le="1"} 3\nh_count 8\n')
    assert grown.buckets("h") == Buckets((1.0, math.inf), (2.0, 5.0))


def test_nothing_observed_is_no_histogram_and_no_mean() -> None:
    grown = growth(BEFORE, BEFORE)
    assert (grown.buckets("h"), grown.mean("h"), grown.counter("h_count")) == (None, None, 0.0)
    assert growth("h_bucket 1\n", 'h_bucket{le="x"} 2\n').buckets("h") is None


def test_what_only_grows() -> None:
    exposition: Exposition = parse("# TYPE a counter\n# TYPE b_total gauge\n# TYPE c counter\n")
    assert exposition.is_counter("a") and exposition.is_counter("c_total") and exposition.is_counter("d_total")
    assert not exposition.is_counter("b_total") and not exposition.is_counter("e")
