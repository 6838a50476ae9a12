"""What can be kept as a value, and sums of what cannot."""

from __future__ import annotations

import math

import pytest

from console.model.bounds import LARGEST, bounded, total, usable
from console.model.metrics import Rollup
from console.model.observation import Buckets, Sample
from console.model.prometheus import Growth, parse
from console.model.states import State
from tests.store.samples import observed

HUGE = 1.7e308


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (0.0, True),
        (-LARGEST, True),
        (float(2**64), True),
        (1e22, False),
        (HUGE, False),
        (math.inf, False),
        (math.nan, False),
        (Buckets((1.0, math.inf), (2.0, 0.0)), True),
        (Buckets((1.0, math.inf), (HUGE, 0.0)), False),
        (Buckets((HUGE, math.inf), (1.0, 0.0)), False),
        (Buckets((1.0, math.nan), (1.0, 0.0)), False),
        (Buckets((), ()), False),
    ],
)
def test_only_what_sums_can_hold_is_a_value(sample: Sample, expected: bool) -> None:
    assert usable(sample) is expected


def test_a_sum_beyond_a_float_is_infinite_and_no_exception() -> None:
    assert total([HUGE, HUGE]) == math.inf
    assert math.isnan(total([math.inf, -math.inf]))
    assert total([0.1] * 10) == 1.0, "exact where it can be"


@pytest.mark.parametrize("distribution", [False, True])
def test_values_stored_before_they_were_refused_are_left_out(distribution: bool) -> None:
    found = Rollup.of([HUGE, 2.0, HUGE], distribution=distribution)
    assert found is not None and (found.n, found.sum, found.max) == (1, 2.0, 2.0)
    assert Rollup.of([HUGE, -HUGE], distribution=distribution) is None


def test_rollups_stored_before_do_not_spoil_their_neighbours() -> None:
    good, bad = (Rollup(n=1, sum=value, min=value, max=value) for value in (3.0, HUGE))
    found = Rollup.merged([good, bad, bad])
    assert found is not None and (found.n, found.sum, found.max) == (1, 3.0, 3.0)
    assert Rollup.merged([bad, bad]) is None


def test_what_is_refused_is_named_beside_what_stays() -> None:
    seen = bounded(observed("metrics", samples={"requests": 3.0, "business.huge": HUGE}))
    assert seen.samples == {"requests": 3.0} and seen.state is State.DEGRADED
    assert seen.words == "all checks pass; business.huge: a number beyond 1e+21, which is no value that can be kept"
    fine = observed("metrics", samples={"requests": 3.0})
    assert bounded(fine) is fine


def test_series_of_one_name_that_no_float_can_sum_make_no_scrape_fail() -> None:
    exposition = parse(f'memory{{a="1"}} {HUGE}\nmemory{{a="2"}} {HUGE}\n' + "".join(
        f'hits_total{{a="{name}"}} {HUGE}\nt_bucket{{a="{name}",le="+Inf"}} {HUGE}\n' for name in "12"
    ))  # fmt: skip
    assert exposition.gauge("memory") == math.inf
    growth = Growth({}, exposition)
    assert growth.counter("hits_total") == math.inf
    found = growth.buckets("t")
    assert found is not None and not usable(found)
