"""Certificates over real TLS: trusted, ending, expired, self-signed, for another host, and none at all."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.configuration import Environment, Thresholds
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import application, certificate
from console.sources.certificate import DAY_MS, Certificate, CertificateSource, judge
from console.sources.faults import Fault
from console.sources.http import Client, Clients, Request, fetch
from tests.sources.authority import Authority, Issued, self_signed
from tests.sources.loopback import Loopback, answering, hang, serving

DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def seen(issued: Issued, authority: Authority, directory: Path, *, trusted: bool = True) -> Observation:
    """What one look at a server with this certificate gives."""
    async with serving(hang, issued.server(directory)) as server:
        return await source_of(server, authority.path if trusted else None).observe()


def source_of(server: Loopback, authority: str | None) -> CertificateSource:
    environment = Environment(name="test", url=server.url().replace("http:", "https:"), certificate_ca=authority)
    (source,) = certificate.build(environment)
    assert isinstance(source, CertificateSource)
    return source


async def test_a_trusted_certificate(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue()
    found = await seen(issued, authority, tmp_path)
    end = issued.certificate.not_valid_after_utc
    assert (found.outcome, found.state, found.words) == (
        Outcome.ANSWERED,
        State.HEALTHY,
        f"trusted, valid until {end.date().isoformat()}",
    )
    assert found.target.startswith("certificate:127.0.0.1:")
    assert found.facts["subject"] == "CN=app.example.com"
    assert found.facts["issuer"] == "CN=Test authority"
    assert found.facts["names"] == ["localhost", "127.0.0.1"]
    assert found.facts["not_after_ms"] == int(end.timestamp()) * 1000
    assert (found.facts["verified"], found.facts["error"], found.facts["protocol"]) == (True, None, "TLSv1.3")
    assert found.samples["lifetime_days"] == pytest.approx(90)
    assert found.samples["days_left"] == pytest.approx(61, abs=0.1)


@pytest.mark.parametrize(
    ("left", "life", "state"),
    [
        (29 * DAY, 90 * DAY, State.DEGRADED),
        (12 * DAY, 90 * DAY, State.UNHEALTHY),
        (4 * DAY, 6 * DAY, State.HEALTHY),  # a fraction of the lifetime, not a number of days
        (1.5 * DAY, 6 * DAY, State.UNHEALTHY),
    ],
)
async def test_limits_are_fractions_of_the_lifetime(
    authority: Authority, tmp_path: Path, left: timedelta, life: timedelta, state: State
) -> None:
    assert (await seen(authority.issue(left=left, life=life), authority, tmp_path)).state is state


async def test_an_expired_certificate_is_not_trusted_but_its_dates_are_read(
    authority: Authority, tmp_path: Path
) -> None:
    found = await seen(authority.issue(left=-3 * DAY), authority, tmp_path)
    assert (found.outcome, found.state) == (Outcome.ANSWERED, State.UNHEALTHY)
    assert found.words.startswith("expired on 20")
    assert (found.facts["verified"], found.facts["error"]) == (False, "certificate has expired")
    assert found.samples["days_left"] == pytest.approx(-3, abs=0.1)


async def test_a_self_signed_certificate(authority: Authority, tmp_path: Path) -> None:
    found = await seen(self_signed(), authority, tmp_path)
    assert found.state is State.UNHEALTHY
    assert found.words.startswith("not trusted: self-signed certificate; valid until 20")
    assert found.facts["subject"] == found.facts["issuer"] == "CN=self-signed.example.com"


async def test_a_certificate_for_another_host(authority: Authority, tmp_path: Path) -> None:
    found = await seen(authority.issue(address="192.0.2.1"), authority, tmp_path)
    assert (found.state, found.facts["verified"]) == (State.UNHEALTHY, False)
    assert "127.0.0.1" in str(found.facts["error"])


async def test_an_authority_nobody_named_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    found = await seen(authority.issue(), authority, tmp_path, trusted=False)
    assert (found.state, found.facts["verified"]) == (State.UNHEALTHY, False)


async def test_hostile_names_are_shown_and_not_obeyed(authority: Authority, tmp_path: Path) -> None:
    found = await seen(authority.issue(common_name="\x1b[31m\u202eevil"), authority, tmp_path)
    assert not set(str(found.facts["subject"])) & {"\x1b", "\u202e"}


async def test_a_server_without_tls_is_a_fault(authority: Authority) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await source_of(Loopback(port=port), authority.path).observe()
    assert (found.outcome, found.state, found.samples) == (Outcome.FAILED, State.UNKNOWN, {})
    assert found.error_kind is ErrorKind.TLS
    assert found.words.startswith("no TLS: ")


async def test_a_handshake_that_hangs_ends(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "TOTAL_S", 0.3)
    async with serving(hang) as server:
        began = time.monotonic()
        found = await source_of(server, authority.path).observe()
    assert (found.outcome, found.error_kind) == (Outcome.FAILED, ErrorKind.TIMEOUT)
    assert time.monotonic() - began < 3


async def test_an_authority_file_that_is_none_says_so(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    async with serving(hang) as server:
        found = await source_of(server, missing).observe()
    assert found.error_kind is ErrorKind.INTERNAL
    assert found.words == "the file of certificate_ca cannot be read as PEM"


async def test_the_application_over_tls_with_its_own_authority(authority: Authority, tmp_path: Path) -> None:
    body = {"status": "healthy", "checks": {"database": {"status": "pass"}}}
    async with serving(answering(200, body), authority.issue().server(tmp_path)) as server:
        environment = Environment(name="test", url=server.url(), certificate_ca=authority.path)
        trusting = application.build(environment, Clients(environment.certificate_ca))[0]
        strict = application.build(environment, Clients())[0]
        found, refused = await trusting.observe(), await strict.observe()
        await trusting.close()
        await strict.close()
    assert found.state is State.HEALTHY
    assert (refused.outcome, refused.error_kind, refused.state) == (Outcome.FAILED, ErrorKind.TLS, State.UNHEALTHY)
    assert refused.words.startswith("certificate not trusted: ")


async def test_http_refuses_an_expired_certificate(authority: Authority, tmp_path: Path) -> None:
    client = Client(authority.path)
    async with serving(answering(200, {}), authority.issue(left=-DAY).server(tmp_path)) as server:
        with pytest.raises(Fault) as raised:
            await fetch(client, Request(url=server.url()))
    assert raised.value.words == "certificate not trusted: certificate has expired"


async def test_nobody_is_led_from_https_back_to_http(authority: Authority, tmp_path: Path) -> None:
    client = Client(authority.path)
    async with serving(answering(200, {})) as plain:
        back = answering(302, b"", {"location": plain.url("/")})
        async with serving(back, authority.issue().server(tmp_path)) as server:
            answer = await fetch(client, Request(url=server.url("/"), redirects=5))
        assert plain.requests == []
    assert (answer.status, answer.location) == (302, plain.url("/"))
    await client.close()


def test_which_certificates_are_watched() -> None:
    def targets(url: str, *extra: str) -> list[str]:
        return [source.target for source in certificate.build(Environment(name="test", url=url, certificates=extra))]

    assert targets("http://app.example.com") == []
    assert targets("https://app.example.com") == ["certificate:app.example.com:443"]
    assert targets("https://App.example.com:8443/x", "db.example.com:5432", "app.example.com:8443") == [
        "certificate:app.example.com:8443",
        "certificate:db.example.com:5432",
    ]
    assert targets("http://app.example.com", "[::1]:443") == ["certificate:::1:443"]


@given(st.integers(1, 400), st.integers(-30, 430))
def test_less_time_left_is_never_a_better_state(life_days: int, left_days: int) -> None:
    order = [State.HEALTHY, State.DEGRADED, State.UNHEALTHY]

    def state(left: int) -> State:
        end_ms = 2_000_000 * DAY_MS // 100
        found = Certificate(
            subject="s",
            issuer="i",
            names=(),
            not_before_ms=end_ms - life_days * DAY_MS,
            not_after_ms=end_ms,
            protocol=None,
            error=None,
        )
        return judge(found, Thresholds(), end_ms - min(left, life_days) * DAY_MS)[0]

    assert order.index(state(left_days)) >= order.index(state(left_days + 1))


def test_bytes_that_are_no_certificate_are_a_fault() -> None:
    for data in (b"", b"\x30\x82\xff\xff", b"hello" * 100):
        with pytest.raises(Fault):
            certificate.read(data, None)
