"""Fingerprints tell settings apart in words, and no secret gets out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.collector.asking import Asker
from console.collector.secrets import Fingerprint, Redactor, credential_identity, fingerprint
from console.model.configuration import Contact, Environment, Secret, Supabase, Thresholds, Vercel
from console.model.observation import Event, Observation, Origin, Outcome
from console.model.operations import GitHub, Operations, Slack
from console.model.states import State
from console.store.clock import SystemClock
from console.store.lease import Holder, difference

DSN = "postgresql://radar:correct-horse@db.example.com:6543/app"
TOKEN = "vercel-token-0123456789"
BASE = Environment(
    name="production",
    url="https://app.example.com",
    database=Secret(DSN),
    vercel=Vercel(token=Secret(TOKEN), project="prj_1"),
    supabase=Supabase(ref="abcdref", anon_key=Secret("anon-key-9876543210")),
)


def words(one: Fingerprint, other: Fingerprint) -> str | None:
    """How two differ, as the console says it."""
    holder = Holder(name="a@b", pid=1, boot_id="x", fingerprint=one.digest, identities=one.identities)
    return difference(holder, other.digest, other.identities)


def test_equal_settings_have_equal_fingerprints() -> None:
    assert fingerprint(BASE) == fingerprint(replace(BASE))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (replace(BASE, routes=("/", "/pricing")), "routes"),
        (replace(BASE, thresholds=Thresholds(p95_ms=300)), "thresholds.p95_ms 200.0 (ours 300)"),
        (replace(BASE, database=Secret(DSN.replace("correct", "wrong"))), "database radar@db.example.com:6543/app key"),
        (replace(BASE, database=Secret(DSN.replace("db.", "db2."))), "ours radar@db2.example.com:6543/app"),
        (replace(BASE, vercel=Vercel(token=Secret(TOKEN + "x"), project="prj_1")), "vercel.token key"),
        (replace(BASE, supabase=None), "supabase.ref only there"),
    ],
)
def test_a_difference_is_told_in_words(changed: Environment, told: str) -> None:
    found = words(fingerprint(BASE), fingerprint(changed))
    assert found is not None and told in found


def test_the_repository_is_polled_and_stands_in_the_fingerprint_without_its_token() -> None:
    def of(token: str = "ghp_0123456789abcdef", interval_s: float = 30.0, webhook: str = "https://a/b") -> Operations:
        repository = GitHub(token=Secret(token), repository="acme/shop", interval_s=interval_s)
        return Operations(github=repository, slack=Slack(webhook=Secret(webhook)))

    own = fingerprint(BASE, of())
    assert fingerprint(BASE, Operations()) == fingerprint(BASE)
    assert words(own, fingerprint(BASE)) is not None
    assert "github.interval_s" in str(words(own, fingerprint(BASE, of(interval_s=60.0))))
    assert "github.token key" in str(words(own, fingerprint(BASE, of(token="ghp_another0123456"))))
    assert words(own, fingerprint(BASE, of(webhook="https://c/d"))) is None  # who is told is no matter of polling
    assert "ghp_" not in repr(own)
    assert "ghp_0123456789abcdef" not in Redactor(BASE, of())("refused: ghp_0123456789abcdef")


def test_what_is_neither_polled_nor_judged_makes_no_difference() -> None:
    contacts = {"any": (Contact(name="Mira", phone="+1"),)}
    assert fingerprint(BASE) == fingerprint(replace(BASE, label="demo", contacts=contacts, links={"a": "b"}))


def test_no_credential_is_in_a_fingerprint() -> None:
    text = repr(fingerprint(BASE))
    for secret in (DSN, "correct-horse", TOKEN, "anon-key-9876543210"):
        assert secret not in text


def test_the_identity_of_a_credential_depends_on_its_environment() -> None:
    assert credential_identity(Secret("x"), "a") != credential_identity(Secret("x"), "b")


@pytest.mark.parametrize("secret", [DSN, "correct-horse", TOKEN, "anon-key-9876543210"])
def test_secrets_are_taken_out_of_errors(secret: str) -> None:
    text = Redactor(BASE)(f"could not connect with {secret}\x1b[2J\nto the server")
    assert secret not in text and "could not connect" in text
    assert "\x1b" not in text and "\n" not in text


class Quoting:
    """A source whose system answers with the credential that it was asked with."""

    target, interval_s, timeout_s = "metrics", 5.0, 5.0

    def __init__(self, said: str) -> None:
        self._said = said

    async def observe(self) -> Observation:
        return Observation(
            target="metrics", outcome=Outcome.FAILED, state=State.UNKNOWN, words=f"401: {self._said}",
            origin=Origin.USERS, facts={"checks": {"a": {"message": self._said}}}, volatile={"raw": self._said},
            events=(Event(at_ms=1, kind="fault", subject="metrics", text=self._said),),
        )  # fmt: skip

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(("said", "kept"), [(f"no {TOKEN} here", False), ("no token here", True)])
async def test_what_a_system_answers_is_stored_without_what_it_was_asked_with(said: str, kept: bool) -> None:
    (found,) = [each async for each in Asker(SystemClock(), Redactor(BASE)).ask(Quoting(said))]
    assert TOKEN not in repr(found) and (said in found.words) is kept
    assert found.facts == {"checks": {"a": {"message": said.replace(TOKEN, "(hidden)")}}}
