"""`radar check`: one round, and only what one round can know."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from console.commands import check
from console.commands.check import _figure
from console.model.components import judge_components
from console.model.ports import StoreUnreadable
from console.model.views import OpenItem
from tests.commands.conftest import Radar, Site
from tests.model.scene import Scene


def test_one_round_does_not_know_since_when(radar: Radar) -> None:
    done = radar("check", "--json")
    assert done.status == 2
    reasons = done.document["verdict"]["reasons"]
    assert reasons and {reason["since"] for reason in reasons} == {None}
    assert "since" not in radar("check").out


def test_one_round_says_that_it_cannot_tell_rates() -> None:
    users = replace(judge_components(Scene("metrics", metrics="/m").see("metrics").situation())[2].judgement)
    assert users.figure == "no rates yet"
    assert _figure(users) == "one round cannot tell rates: radar metrics"
    assert _figure(replace(users, figure="p95 12 ms, 0 %")) == "p95 12 ms, 0 %"


@pytest.mark.parametrize("unreadable", [False, True])
def test_what_a_freeze_did_not_hold_is_told_and_a_store_is_not_needed(
    radar: Radar, monkeypatch: pytest.MonkeyPatch, unreadable: bool
) -> None:
    text = "8f3c1d2 went live during the deploy freeze of op1"
    items = (OpenItem(kind="not held", text=text), OpenItem(kind="freeze", text="x"))

    def actions(_: object) -> object:
        if unreadable:
            raise StoreUnreadable("damaged")
        return SimpleNamespace(header=SimpleNamespace(open_items=items))

    monkeypatch.setattr(check, "reading", lambda *_: nullcontext(SimpleNamespace(actions=actions)))
    told = [] if unreadable else [text]
    assert radar("check", "--json").document["not_held"] == told
    assert (f"! NOT HELD: {text}" in radar("check").out) is not unreadable


HANGING = """
import signal, socket, sys, threading
from console.cli import main
from console.collector import once

def hang(*_: object, **__: object) -> list[object]:
    print("a name is looked up", flush=True)
    threading.Event().wait(60)
    return []

if sys.argv[1] == "hangs":
    socket.getaddrinfo = hang
once.TOTAL_S = float(sys.argv[2])
sys.exit(main(sys.argv[3:]))
"""


def asked(site: Site, dns: str, total_s: float, *command: str) -> subprocess.Popen[str]:
    """A command in a process of its own where DNS hangs, or where it `works`: the site's host is then an address."""
    if dns == "hangs":
        named = (
            site.file.read_text().replace("http://127.0.0.1:1", "http://app.example.com").replace("egress = false", "")
        )
        site.file.write_text(named + 'database = "postgresql://app@db.example.com/app"\n')
    program = [sys.executable, "-c", HANGING, dns, str(total_s), "--config", str(site.file), *command]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=site.variables)


@pytest.mark.parametrize("command", ["check", "doctor"])
@pytest.mark.parametrize("total_s", [2.0, 40.0])
def test_it_ends_with_its_time_out_while_dns_hangs(site: Site, command: str, total_s: float) -> None:
    process = asked(site, "hangs", total_s, command, "--json")
    assert process.stdout is not None and process.stdout.readline() == "a name is looked up\n"
    began = time.monotonic()
    out, said = process.communicate(timeout=90)
    assert time.monotonic() - began < total_s + 1
    assert (process.returncode in (1, 2), said) == (True, "")
    document = json.loads(out[out.index("{") :])
    assert command == "doctor" or document["state"] != "healthy"


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_where_dns_works_the_same_command_has_the_usual_status(site: Site, radar: Radar, command: str) -> None:
    usual = radar(command)
    process = asked(site, "works", 40.0, command)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == usual.status == 2
    assert "connection refused" in out


def test_a_collector_ends_at_once_while_dns_hangs(site: Site) -> None:
    process = asked(site, "hangs", 40.0, "collect")
    assert process.stdout is not None and process.stdout.readline() == "a name is looked up\n"
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 1.5
    assert process.returncode == 0 and "Traceback" not in said
