"""The HTTP client on real loopback servers: caps, time-outs, redirects by hand, secrets to one origin only."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest

from console.model.configuration import Secret
from console.model.observation import ErrorKind
from console.sources.faults import Fault
from console.sources.http import BODY_LIMIT_BYTES, Answer, Client, Limits, Request, fetch, retry_after_s, shown
from tests.sources.loopback import Loopback, Seen, Writer, answering, hang, raw, response, routed, serving, until

QUICK = Limits(connect_s=1, read_s=0.3, total_s=0.6)
TOKEN = {"authorization": Secret("Bearer top-secret-token")}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


async def fault_of(client: Client, request: Request) -> Fault:
    with pytest.raises(Fault) as raised:
        await fetch(client, request)
    return raised.value


async def test_an_answer_is_given_whole_with_its_latency(client: Client) -> None:
    async with serving(answering(201, {"a": 1}, {"X-Thing": "1"})) as server:
        answer = await fetch(client, Request(url=server.url("/x?token=abc")))
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (201, b'{"a": 1}', "1")
    assert 0 < answer.latency_ms < 5000
    assert answer.url == server.url("/x") + "?…"


async def test_one_connection_serves_many_polls_and_no_cookie_is_kept(client: Client) -> None:
    async with serving(answering(200, {}, {"set-cookie": "session=1; Path=/"})) as server:
        for _ in range(5):
            await fetch(client, Request(url=server.url()))
        assert server.connections == 1
        assert all("cookie" not in seen.headers for seen in server.requests)
        assert server.requests[0].headers["user-agent"] == "radar-console"


async def test_a_connection_that_the_server_closed_between_polls_is_no_fault(client: Client) -> None:
    async def close_on_second(seen: Seen, writer: Writer) -> None:
        if len(server.requests) == 2:
            writer.transport.abort()
            return
        await answering(200, {})(seen, writer)

    async with serving(close_on_second) as server:
        await fetch(client, Request(url=server.url()))
        answer = await fetch(client, Request(url=server.url()))
    assert answer.status == 200
    assert len(server.requests) == 3


async def test_a_fresh_connection_that_is_closed_is_a_fault_and_not_retried(client: Client) -> None:
    async def abort(_seen: Seen, writer: Writer) -> None:
        writer.transport.abort()

    async with serving(abort) as server:
        fault = await fault_of(client, Request(url=server.url()))
    assert fault.kind is ErrorKind.CLOSED
    assert len(server.requests) == 1


async def test_a_refused_connection_says_so(client: Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        fault = await fault_of(client, Request(url=f"http://127.0.0.1:{port}/"))
    assert (fault.kind, fault.words) == (ErrorKind.CONNECT, "connection refused")


async def test_an_unknown_name_is_told_from_a_dead_host(client: Client) -> None:
    fault = await fault_of(client, Request(url="http://no-such-name.invalid/", limits=Limits(total_s=5)))
    assert fault.kind in (ErrorKind.DNS, ErrorKind.TIMEOUT)  # a resolver may be unreachable here


async def test_a_hung_server_ends_at_the_read_limit(client: Client) -> None:
    async with serving(hang) as server:
        began = time.monotonic()
        fault = await fault_of(client, Request(url=server.url(), limits=QUICK))
    assert (fault.kind, fault.words) == (ErrorKind.TIMEOUT, "no answer within 0.3 s")
    assert time.monotonic() - began < 3


async def test_a_dripping_server_ends_at_the_total_limit(client: Client) -> None:
    async def drip(_seen: Seen, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(drip) as server:
        fault = await fault_of(client, Request(url=server.url(), limits=QUICK))
    assert (fault.kind, fault.words) == (ErrorKind.TIMEOUT, "no complete answer within 0.6 s")


async def test_ten_megabytes_are_cut_off_at_the_cap(client: Client) -> None:
    sent = 0

    async def flood(_seen: Seen, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n")
        for _ in range(160):
            writer.write(b"\xff" * 65536)
            await writer.drain()
            sent += 65536

    async with serving(flood) as server:
        fault = await fault_of(client, Request(url=server.url()))
        assert (fault.kind, fault.words) == (ErrorKind.TOO_LARGE, "the answer is larger than 256 KiB")
        answer = await fetch(client, Request(url=server.url(), cut=True))
    assert len(answer.body) == BODY_LIMIT_BYTES
    assert sent < 2 * 10485760


@pytest.mark.parametrize("size", [BODY_LIMIT_BYTES, BODY_LIMIT_BYTES + 1])
async def test_the_cap_is_exact(client: Client, size: int) -> None:
    async with serving(answering(200, b"x" * size)) as server:
        request = Request(url=server.url())
        if size == BODY_LIMIT_BYTES:
            assert len((await fetch(client, request)).body) == size
        else:
            assert (await fault_of(client, request)).kind is ErrorKind.TOO_LARGE


async def test_a_compression_bomb_is_not_unpacked(client: Client) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    async with serving(answering(200, bomb, {"content-encoding": "gzip"})) as server:
        fault = await fault_of(client, Request(url=server.url()))
        assert server.requests[0].headers["accept-encoding"] == "identity"
    assert fault.kind is ErrorKind.TOO_LARGE


@pytest.mark.parametrize(("encoding", "body"), [("br", b"abc"), ("gzip", b"not gzip at all")])
async def test_a_compression_that_cannot_be_read_is_a_fault(client: Client, encoding: str, body: bytes) -> None:
    async with serving(answering(200, body, {"content-encoding": encoding})) as server:
        assert (await fault_of(client, Request(url=server.url()))).kind is ErrorKind.BODY


async def test_gzip_that_was_not_asked_for_is_read_all_the_same(client: Client) -> None:
    async with serving(answering(200, gzip.compress(b"{}"), {"content-encoding": "gzip"})) as server:
        assert (await fetch(client, Request(url=server.url()))).body == b"{}"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this", ErrorKind.CLOSED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", ErrorKind.CLOSED),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ErrorKind.BODY),
        (b"HTTP/1.1 200 OK\r\nbad header\x00: 1\r\n\r\n", ErrorKind.BODY),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000, ErrorKind.BODY),
        (b"", ErrorKind.CLOSED),
    ],
)
async def test_truncated_and_foreign_answers(client: Client, data: bytes, kind: ErrorKind) -> None:
    async def write_and_close(seen: Seen, writer: Writer) -> None:
        await raw(data)(seen, writer)
        writer.close()

    async with serving(write_and_close) as server:
        assert (await fault_of(client, Request(url=server.url(), limits=QUICK))).kind is kind


async def test_a_reset_in_the_middle_of_the_answer(client: Client) -> None:
    async def reset(seen: Seen, writer: Writer) -> None:
        await raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")(seen, writer)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with serving(reset) as server:
        assert (await fault_of(client, Request(url=server.url(), limits=QUICK))).kind is ErrorKind.CLOSED


async def redirecting(client: Client, server: Loopback, path: str, *, redirects: int = 5) -> Answer:
    return await fetch(client, Request(url=server.url(path), redirects=redirects, credentials=TOKEN))


def to(location: str) -> bytes:
    return response(302, b"", {"location": location})


async def test_redirects_on_the_same_site_are_followed_and_told(client: Client) -> None:
    async with serving(routed({"/": raw(to("/login?next=/")), "/login": answering(200, {})})) as server:
        answer = await redirecting(client, server, "/")
    assert (answer.status, answer.hops, answer.location) == (200, (server.url("/login") + "?…",), None)


async def test_a_redirect_circle_and_an_endless_chain_end(client: Client) -> None:
    count = 0

    async def ever_on(seen: Seen, writer: Writer) -> None:
        nonlocal count
        count += 1
        await raw(to(f"/endless?n={count}"))(seen, writer)

    routes = {"/a": raw(to("/b")), "/b": raw(to("/a")), "/endless": ever_on}
    async with serving(routed(routes)) as server:
        circle = await fault_of(client, Request(url=server.url("/a"), redirects=5))
        endless = await fault_of(client, Request(url=server.url("/endless"), redirects=5))
    assert (circle.kind, circle.words) == (ErrorKind.REDIRECT, f"redirects in a circle, back to {server.url('/a')}")
    assert (endless.kind, endless.words) == (ErrorKind.REDIRECT, "more than 5 redirects")
    assert len([seen for seen in server.requests if seen.path.startswith("/endless")]) == 6


@pytest.mark.parametrize(
    "location", ["http://[", "http://a b/", "//", "javascript:alert(1)", "file:///etc/passwd", "\x00"]
)
async def test_a_redirect_to_nonsense_is_never_followed(client: Client, location: str) -> None:
    async with serving(routed({"/": raw(to(location))})) as server:
        try:
            answer = await redirecting(client, server, "/")
            assert answer.status == 302
        except Fault as fault:
            assert fault.kind in (ErrorKind.REDIRECT, ErrorKind.BODY)
        assert len(server.requests) <= 1


async def test_credentials_reach_their_own_origin_only(client: Client) -> None:
    async with serving(answering(200, {})) as other:
        routes = {
            "/same": raw(to("/end")),
            "/end": answering(200, {}),
            "/port": raw(to(other.url("/end"))),
            "/host": raw(to(other.url("/end", host="localhost"))),
        }
        async with serving(routed(routes)) as server:
            assert (await redirecting(client, server, "/same")).status == 200
            assert [seen.headers.get("authorization") for seen in server.requests] == ["Bearer top-secret-token"] * 2
            assert (await redirecting(client, server, "/port")).status == 200  # the same host on another port
            stopped = await redirecting(client, server, "/host")
    assert (stopped.status, stopped.location) == (302, other.url("/end", host="localhost"))
    assert [seen.headers.get("authorization") for seen in other.requests] == [None]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "http:///x", "not a url", "http://[::1"])
async def test_only_http_and_https_are_asked(client: Client, url: str) -> None:
    assert (await fault_of(client, Request(url=url))).kind is ErrorKind.INTERNAL


@pytest.mark.parametrize("secret", ["line\nbreak", "ünïcode", "nul\x00"])
async def test_a_secret_that_no_header_can_carry_is_not_quoted(client: Client, secret: str) -> None:
    fault = await fault_of(client, Request(url="http://127.0.0.1:9/", credentials={"authorization": Secret(secret)}))
    assert fault.kind is ErrorKind.CREDENTIALS
    assert secret not in f"{fault.words} {fault!r}"


async def test_user_and_password_of_a_url_are_neither_sent_nor_shown(client: Client) -> None:
    async with serving(answering(200, {})) as server:
        answer = await fetch(client, Request(url=f"http://user:pass@127.0.0.1:{server.port}/x#part"))
        assert "authorization" not in server.requests[0].headers
    assert answer.url == server.url("/x")


async def test_no_url_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(answering(200, {})) as server:
        await fetch(client, Request(url=server.url("/hook/secret-path")))
    assert "secret-path" not in caplog.text
    assert logging.getLogger("httpx").getEffectiveLevel() >= logging.WARNING


async def test_a_proxy_in_the_environment_is_not_used(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serving(answering(200, {})) as server:
        assert (await fetch(client, Request(url=server.url()))).status == 200


async def test_cancelling_and_closing_while_everything_hangs_is_quick() -> None:
    client = Client()
    async with serving(hang) as server:
        polls = [asyncio.create_task(fetch(client, Request(url=server.url()))) for _ in range(20)]
        await until(lambda: len(server.requests) == 20)
        began = time.monotonic()
        for poll in polls:
            poll.cancel()
        ended = await asyncio.gather(*polls, return_exceptions=True)
        await client.close()
    assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    assert time.monotonic() - began < 1


def test_what_is_shown_of_a_url() -> None:
    assert shown("https://u:p@app.example.com/a?key=secret#x") == "https://app.example.com/a?…"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("Fri, 20 Nov 2026 10:15:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 10:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after_in_both_forms(written: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": written}, now_s=1795169700.0) == seconds


@pytest.mark.parametrize(
    ("written", "seconds"), [("30", 30.0), ("1795169760", 60.0), ("1795169760000", 60.0), ("1", 1.0), ("x", None)]
)
def test_a_rate_limits_reset_in_its_three_units(written: str, seconds: float | None) -> None:
    assert retry_after_s({"x-ratelimit-reset": written}, now_s=1795169700.0) == seconds
