"""Connections: kept alive, never used where they may hold what nobody asked for, made to whichever address answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.model.observation import ErrorKind
from console.model.wire import Change
from console.sources import connection, http
from console.sources.address import address_of
from console.sources.faults import Fault
from console.sources.http import Client, Limits, Request, fetch
from tests.sources.loopback import Seen, Writer, answering, raw, response, routed, serving, until

METHODS: tuple[Change, ...] = ("POST", "PUT", "PATCH")
QUICK = Limits(connect_s=1, read_s=0.5, total_s=2)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


async def test_what_comes_unasked_is_no_answer_to_the_next_request(client: Client) -> None:
    """A server that gives up an idle connection says so first, with a whole answer."""

    async def then_more(seen: Seen, writer: Writer) -> None:
        writer.write(response(200, b"asked"))
        await writer.drain()
        if len(server.requests) == 1:
            await asyncio.sleep(0.05)  # of the server's own time: the answer has been read by then
            writer.write(response(408, b"unasked"))
            written.set()

    written = asyncio.Event()
    async with serving(then_more) as server:
        await fetch(client, Request(url=server.url(), limits=QUICK))
        await written.wait()
        await until(lambda: all(each.is_over for each in idle_of(client, server.url())))
        answer = await fetch(client, Request(url=server.url(), limits=QUICK))
        assert (answer.status, answer.body) == (200, b"asked")
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_what_comes_with_an_answer_and_is_not_of_it_ends_the_connection(client: Client) -> None:
    async with serving(raw(response(200, b"one") + response(500, b"two"))) as server:
        for _ in range(2):
            answer = await fetch(client, Request(url=server.url(), limits=QUICK))
            assert (answer.status, answer.body) == (200, b"one")
        assert server.connections == 2


def idle_of(client: Client, url: str) -> list[connection.Connection]:
    return client.pool._idle[address_of(url).origin]


async def test_a_connection_that_the_peer_closed_is_not_used_again(client: Client) -> None:
    async def close(seen: Seen, writer: Writer) -> None:
        await raw(response(200, b"{}"))(seen, writer)
        writer.close()

    async with serving(close) as server:
        await fetch(client, Request(url=server.url(), limits=QUICK))
        await until(lambda: all(each.is_over for each in idle_of(client, server.url())))
        await fetch(client, Request(url=server.url(), limits=QUICK))
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_an_answer_that_says_close_is_the_last_of_its_connection(client: Client) -> None:
    async with serving(answering(200, {}, {"connection": "close"})) as server:
        for _ in range(2):
            await fetch(client, Request(url=server.url(), limits=QUICK))
        assert server.connections == 2


async def test_an_idle_connection_grows_old(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("console.sources.connection.time.monotonic", lambda: now[0])
    async with serving(answering(200, {})) as server:
        await fetch(client, Request(url=server.url(), limits=QUICK))
        now[0] += http.KEEPALIVE_S - 1
        await fetch(client, Request(url=server.url(), limits=QUICK))
        assert server.connections == 1
        now[0] += http.KEEPALIVE_S + 1
        await fetch(client, Request(url=server.url(), limits=QUICK))
        assert server.connections == 2


async def test_no_more_than_ten_are_kept(client: Client) -> None:
    gate = asyncio.Event()

    async def together(seen: Seen, writer: Writer) -> None:
        await gate.wait()
        await answering(200, {})(seen, writer)

    async with serving(together) as server:
        polls = [asyncio.create_task(fetch(client, Request(url=server.url()))) for _ in range(15)]
        await until(lambda: len(server.requests) == 15)
        gate.set()
        await asyncio.gather(*polls)
        assert len(idle_of(client, server.url())) == http.KEPT_ALIVE


async def test_parts_early_words_and_headers_that_repeat(client: Client) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nX-Odd: caf\xe9\r\ntransfer-encoding: chunked\r\n\r\n"
    async with serving(raw(early + head + b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")) as server:
        for _ in range(2):
            answer = await fetch(client, Request(url=server.url(), limits=QUICK))
            assert (answer.status, answer.body) == (200, b"abcde")
            assert (answer.headers["x-two"], answer.headers["x-odd"]) == ("a, b", "café")
        assert server.connections == 1


async def test_a_body_without_a_length_ends_with_the_connection(client: Client) -> None:
    async def until_closed(seen: Seen, writer: Writer) -> None:
        await raw(b"HTTP/1.1 200 OK\r\n\r\nall of it")(seen, writer)
        writer.close()

    async with serving(until_closed) as server:
        assert (await fetch(client, Request(url=server.url(), limits=QUICK))).body == b"all of it"


async def test_a_change_says_its_length_also_where_it_has_no_body(client: Client) -> None:
    async with serving(answering(200, {})) as server:
        for method in METHODS:
            await fetch(client, Request(url=server.url("/x?a=b c"), change=method, limits=QUICK))
        await fetch(client, Request(url=server.url(), form={"q": "a b&c"}, limits=QUICK))
        assert [seen.headers.get("content-length") for seen in server.requests] == ["0", "0", "0", "9"]
        assert server.requests[0].path == "/x?a=b%20c"
        assert server.requests[-1].body == b"q=a+b%26c"
        assert server.requests[-1].headers["content-type"] == http.FORM
        assert server.requests[-1].headers["host"] == f"127.0.0.1:{server.port}"


# Several addresses of one name


async def resolving(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def nobody() -> tuple[str, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return ("127.0.0.1", free.getsockname()[1])


async def test_the_next_address_answers_where_the_first_refuses(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(answering(200, {})) as server:
        await resolving(monkeypatch, nobody(), ("127.0.0.1", server.port))
        assert (await fetch(client, Request(url="http://two.example/", limits=QUICK))).status == 200
        assert server.requests[0].headers["host"] == "two.example"


async def test_the_next_address_answers_where_the_first_is_silent(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for each in (first, second):  # its queue is full: a third waits for ever
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        async with serving(answering(200, {})) as server:
            await resolving(monkeypatch, full.getsockname(), ("127.0.0.1", server.port))
            assert (await fetch(client, Request(url="http://two.example/", limits=QUICK))).status == 200


async def test_all_addresses_refuse(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await resolving(monkeypatch, nobody(), nobody())
    with pytest.raises(Fault) as raised:
        await fetch(client, Request(url="http://two.example/", limits=QUICK))
    assert (raised.value.kind, raised.value.words, raised.value.sent) == (
        ErrorKind.CONNECT,
        "connection refused",
        False,
    )


async def test_a_connection_that_does_not_come_about_in_time(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        limits = Limits(connect_s=0.2, read_s=1, total_s=2)
        with pytest.raises(Fault) as raised:
            await fetch(client, Request(url=f"http://127.0.0.1:{full.getsockname()[1]}/", limits=limits))
    assert (raised.value.words, raised.value.sent) == ("no connection within 0.2 s", False)


async def test_redirects_to_elsewhere_are_told(client: Client) -> None:
    async with serving(routed({"/": raw(response(302, b"", {"location": "javascript:alert(1)"}))})) as server:
        answer = await fetch(client, Request(url=server.url("/"), redirects=5, limits=QUICK))
    assert answer.location == "javascript:alert(1)"
