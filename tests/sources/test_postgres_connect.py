"""Connecting to PostgreSQL: refusals, names, addresses and TLS, each told in words."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from console.demo.server import EmbeddedPostgres
from console.model.configuration import Secret
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from console.sources import postgres_faults
from console.sources.faults import Fault
from console.sources.postgres_session import Endpoint, Limits, Session, resolve
from tests.sources.postgres_help import Wire, activity, changed, port_of, sources, until

SLEEP = "select pg_sleep(60)"
PATIENT = Limits(statement_ms=120_000)


def check(seen: Observation, outcome: Outcome, kind: ErrorKind, state: State, words: str) -> None:
    assert (seen.outcome, seen.error_kind, seen.state) == (outcome, kind, state)
    assert words in seen.words
    assert seen.facts == {} and "ok" not in seen.samples


async def test_a_wrong_password_is_tried_once(database: str, postgres_server: EmbeddedPostgres) -> None:
    """Hosts ban an address after a few: neither the other targets nor the next polls knock again."""
    async with Wire(port_of(database)) as wire:
        dsn = changed(database, port=wire.port, password="not-the-password", sslmode="disable")
        async with sources(dsn) as built:
            for _ in range(3):
                for source in built.values():
                    seen = await source.observe()
                    check(seen, Outcome.FORBIDDEN, ErrorKind.CREDENTIALS, State.UNKNOWN, "refuses our user or password")
                    assert "not-the-password" not in repr(seen)
        assert wire.accepted == 1


async def test_other_failures_are_tried_again(database: str) -> None:
    """The counter-test: a server that was down is seen as soon as it is back."""
    async with Wire(port_of(database)) as wire:
        wire.to_port = 1
        async with sources(changed(database, port=wire.port)) as built:
            assert (await built["postgres.canary"].observe()).outcome is Outcome.FAILED
            wire.to_port = port_of(database)
            seen = await until(built["postgres.canary"].observe, lambda seen: seen.outcome is Outcome.ANSWERED, 5)
        assert seen.state is State.HEALTHY and wire.accepted > 1


async def test_an_unknown_role_and_an_unknown_database(database: str) -> None:
    role = await activity(changed(database, user="nobody_here"))
    check(role, Outcome.FORBIDDEN, ErrorKind.CREDENTIALS, State.UNKNOWN, "check `database`")
    name = await activity(changed(database, dbname="nothing_here"))
    check(name, Outcome.FAILED, ErrorKind.STATUS, State.UNHEALTHY, "has no database of the name")


async def test_tls_refused(database: str) -> None:
    seen = await activity(changed(database, sslmode="require"))
    check(seen, Outcome.FAILED, ErrorKind.TLS, State.UNKNOWN, "no TLS connection")
    verified = await activity(changed(database, sslmode="verify-full", sslrootcert="/nonexistent/ca.pem"))
    check(verified, Outcome.FAILED, ErrorKind.TLS, State.UNKNOWN, "no TLS connection")


async def test_a_name_that_is_not_resolved() -> None:
    seen = await activity("postgresql://u:secret-word@db.invalid:5432/postgres")
    check(seen, Outcome.FAILED, ErrorKind.DNS, State.UNHEALTHY, "the server's name is not resolved")
    assert "secret-word" not in repr(seen)


async def test_a_name_with_two_addresses_where_only_one_answers(database: str) -> None:
    dsn = changed(database, host="localhost")
    assert (await activity(dsn)).outcome is Outcome.ANSWERED
    assert (await resolve("localhost", 1))[0] in ("127.0.0.1", "::1")


@pytest.mark.parametrize("dsn", ["not a connection string", "postgresql://u:secret-word@h:port/x", "a=b=c"])
async def test_a_connection_string_that_is_none(dsn: str) -> None:
    seen = await activity(dsn)
    check(seen, Outcome.FAILED, ErrorKind.INTERNAL, State.UNKNOWN, "cannot be read")
    assert "secret-word" not in repr(seen) and dsn not in seen.words


async def test_nobody_listens(database: str, tmp_path: Path) -> None:
    seen = await activity(changed(database, port=1))
    check(seen, Outcome.FAILED, ErrorKind.CONNECT, State.UNHEALTHY, "connection refused")
    seen = await activity(changed(database, host=str(tmp_path)))
    check(seen, Outcome.FAILED, ErrorKind.CONNECT, State.UNHEALTHY, "no server at the socket")


async def test_something_else_listens() -> None:
    async def garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    seen = await activity(f"postgresql://u:p@127.0.0.1:{port}/x?sslmode=disable")
    server.close()
    assert seen.outcome is Outcome.FAILED and "HTTP" not in seen.words


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('connection to server at "tls.example.com", port 5432 failed: Connection refused', ErrorKind.CONNECT),
        ("FATAL:  sorry, too many clients already", ErrorKind.LIMIT),
        ('FATAL:  too many connections for role "app"', ErrorKind.LIMIT),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", ErrorKind.LIMIT),
        ("FATAL:  Max client connections reached", ErrorKind.LIMIT),
        ("ERROR:  no more connections allowed (max_client_conn)", ErrorKind.LIMIT),
        ("FATAL:  Tenant or user not found", ErrorKind.CREDENTIALS),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption', ErrorKind.TLS),
        (
            'FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", SSL encryption',
            ErrorKind.CREDENTIALS,
        ),
        ("FATAL:  the database system is starting up", ErrorKind.CONNECT),
        ("SSL error: certificate verify failed", ErrorKind.TLS),
        ("server closed the connection unexpectedly", ErrorKind.CLOSED),
        ("FATAL:  etwas ganz anderes auf Deutsch", ErrorKind.CONNECT),
    ],
)
def test_words_for_what_libpq_says(text: str, kind: ErrorKind) -> None:
    fault = postgres_faults.connecting(psycopg.OperationalError(text), "database")
    assert fault.kind is kind
    assert "Deutsch" not in fault.words and "{" not in fault.words


@pytest.fixture
def certified(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=demo"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


async def test_tls_is_verified_by_the_authority_in_the_settings(tmp_path: Path, certified: tuple[Path, Path]) -> None:
    certificate, key = certified
    tls = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    server = EmbeddedPostgres(tmp_path / "server", settings=tls)
    if not server.installation.tls:
        pytest.skip("this PostgreSQL has no TLS")
    server.start()
    trusted = Session(Endpoint(Secret(server.dsn()), "database", authority=str(certificate)))
    found = await trusted.ask("select to_json(ssl) from pg_stat_ssl where pid = pg_backend_pid()", budget_s=5)
    await trusted.close()
    stranger = await activity(changed(server.dsn(), sslmode="verify-full", sslrootcert="system"))
    other_name = Session(
        Endpoint(Secret(changed(server.dsn(), host="localhost")), "database", authority=str(certificate))
    )
    with pytest.raises(Fault) as caught:
        await other_name.ask("select 1", budget_s=5)
    await other_name.close()
    server.stop("immediate")
    assert found.raw == b"true"
    check(stranger, Outcome.FAILED, ErrorKind.TLS, State.UNKNOWN, "no TLS connection")
    assert caught.value.kind is ErrorKind.TLS
