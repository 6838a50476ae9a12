"""sd_notify, with a socket as systemd gives it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.collector.notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """The receiving end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(5)
        yield receiver


def test_messages_arrive_one_by_one(systemd: socket.socket) -> None:
    notify = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notify("READY=1")
    notify("STATUS=healthy, 14 targets")
    assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STATUS=healthy, 14 targets"]
    notify.close()


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0radar-test-{os.getpid()}")
        receiver.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@radar-test-{os.getpid()}"})("READY=1")
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("variables", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_anybody_to_tell_nothing_happens(variables: dict[str, str]) -> None:
    Notifier(variables)("READY=1")


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "never"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_bites(variables: dict[str, str], seconds: float | None) -> None:
    assert Notifier(variables).watchdog_s == seconds
