"""The egress witness: one outside target that answers is proof; a network's login page is none."""

from __future__ import annotations

import asyncio
import time

import pytest

from console.model.configuration import Egress, Environment
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import egress
from console.sources.http import Clients, Limits
from tests.sources.loopback import Handler, answering, hang, raw, response, serving

NO_CONTENT = raw(response(204))
DEAD = "http://127.0.0.1:9/"


async def witnessed(*targets: str, name: str = "localhost") -> Observation:
    environment = Environment(name="test", url="http://127.0.0.1", egress=Egress(targets=targets, name=name))
    (source,) = egress.build(environment, Clients())
    try:
        return await source.observe()
    finally:
        await source.close()


async def beside(handler: Handler, *others: str) -> Observation:
    async with serving(handler) as server:
        return await witnessed(server.url("/generate_204"), *others)


async def test_all_is_well() -> None:
    seen = await beside(NO_CONTENT)
    assert (seen.outcome, seen.state, seen.words) == (Outcome.ANSWERED, State.HEALTHY, "an outside target answers")
    assert (seen.samples, seen.facts["dns"]) == ({"ok": 1.0}, "ok")


async def test_one_target_that_answers_is_proof() -> None:
    seen = await beside(NO_CONTENT, DEAD)
    assert (seen.outcome, seen.state) == (Outcome.ANSWERED, State.HEALTHY)
    targets = seen.facts["targets"]
    assert isinstance(targets, dict)
    assert sorted(map(str, targets.values())) == ["connection refused", "ok"]


async def test_none_that_answers_is_offline() -> None:
    seen = await witnessed(DEAD, "http://127.0.0.1:10/")
    assert (seen.outcome, seen.state, seen.error_kind) == (Outcome.FAILED, State.UNHEALTHY, ErrorKind.CONNECT)
    assert (seen.words, seen.samples) == ("no outside target answers: connection refused", {"ok": 0.0})
    assert seen.facts["targets"] == {DEAD: "connection refused", "http://127.0.0.1:10/": "connection refused"}


@pytest.mark.parametrize(
    "handler",
    [raw(response(302, b"", {"location": "http://login.hotel.example/"})), answering(511, b""), answering(503, b"")],
)
async def test_a_networks_login_page_is_no_proof(handler: Handler) -> None:
    assert (await beside(handler)).state is State.UNHEALTHY


async def test_a_dead_resolver_is_told_apart() -> None:
    async with serving(NO_CONTENT) as server:
        seen = await witnessed(server.url(), name="no-such-name.invalid")
    assert (seen.outcome, seen.state) == (Outcome.ANSWERED, State.DEGRADED)
    assert seen.facts["dns"] in ("the name is not resolved", "no answer within 3 s")


async def test_a_lookup_that_hangs_is_waited_for_and_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = 0

    async def never(_name: str) -> str:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()
        return "ok"

    monkeypatch.setattr(egress, "_look_up", never)
    monkeypatch.setattr(egress, "NAME_S", 0.05)
    async with serving(NO_CONTENT) as server:
        environment = Environment(name="test", url=server.url(), egress=Egress(targets=(server.url(),)))
        (source,) = egress.build(environment, Clients())
        for _ in range(3):
            assert (await source.observe()).facts["dns"] == "no answer within 0.05 s"
        await source.close()
    assert begun == 1


async def test_targets_that_hang_are_asked_at_once_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "LIMITS", Limits(connect_s=0.2, read_s=0.2, total_s=0.3))
    async with serving(hang) as server:
        began = time.monotonic()
        seen = await witnessed(*(server.url(f"/{number}") for number in range(10)))
    assert (seen.state, seen.error_kind) == (State.UNHEALTHY, ErrorKind.TIMEOUT)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "built"),
    [
        ("https://app.example.com", True),
        ("https://203.0.113.9", False),  # a documentation range counts as private
        ("https://8.8.8.8", True),
        ("http://localhost:3000", False),
        ("http://127.0.0.1:3000", False),
        ("http://[::1]:3000", False),
        ("http://10.1.2.3", False),
        ("http://radar.internal", False),
        ("http://bastion", False),
    ],
)
def test_a_local_application_needs_no_default_witness(url: str, built: bool) -> None:
    assert bool(egress.build(Environment(name="test", url=url), Clients())) is built


def test_a_witness_that_is_named_is_always_built_and_one_switched_off_never() -> None:
    own = Egress(targets=("http://127.0.0.1:1/",), name="localhost")
    assert egress.build(Environment(name="test", url="http://localhost", egress=own), Clients())
    assert not egress.build(Environment(name="test", url="https://app.example.com", egress=None), Clients())
    assert not egress.build(Environment(name="test", url="https://a.example.com", egress=Egress(targets=())), Clients())
