"""`radar maintenance`: what its options ask for, and its status as it stands."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from console.cli import main
from console.commands import maintenance
from console.model.observation import Json
from console.model.operations import Maintenance
from console.settings import load
from tests.actions.upkeep import HOOK_TOKEN, Stage
from tests.sources.loopback import Handler, Loopback, Seen, Writer, response, serving

DOCUMENTED = (Path(__file__).parents[2] / "docs/maintenance.md").read_text("utf-8")


def asked(*typed: str) -> tuple[str, dict[str, Json]] | None:
    """The request that the typed words make."""
    parser = argparse.ArgumentParser()
    maintenance.configure(parser)
    request = maintenance.request_of(parser.parse_args(typed))
    return None if request is None else (request.action, dict(request.parameters))


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        (["on"], ("maintenance", {"on": True})),
        (["off", "--message", "done"], ("maintenance", {"on": False, "message": "done"})),
        (["on", "--for", "30m", "--mail"], ("maintenance", {"on": True, "minutes": 30, "mail": True})),
        (["on", "--no-mail"], ("maintenance", {"on": True, "mail": False})),
        (["on", "--in", "1h", "--message", "x"], ("announce", {"minutes": 60, "message": "x"})),
        (["on", "--in", "90m", "--for", "2h"], ("announce", {"minutes": 90, "lasts": 120})),
        (["on", "--for", "30m", "--ends"], ("maintenance", {"on": True, "minutes": 30, "ends": True})),
        (["on", "--in", "1h", "--for", "2h", "--ends"], ("announce", {"minutes": 60, "lasts": 120, "ends": True})),
        (["cancel"], ("cancel-due", {})),
        (["table"], ("maintenance-table", {})),
        (["status"], None),
    ],
)
def test_what_is_typed_is_what_is_asked_for(typed: list[str], request_: Any) -> None:
    assert asked(*typed) == request_


@pytest.mark.parametrize(
    "typed",
    [
        ["off", "--in", "1h"],
        ["status", "--for", "1h"],
        ["cancel", "--message", "x"],
        ["on", "--in", "soon"],
        ["off", "--ends"],
        ["on", "--ends"],
    ],
)
def test_options_that_do_not_belong_together_are_refused(typed: list[str]) -> None:
    with pytest.raises(ValueError, match=r"belong|no duration|needs --for"):
        asked(*typed)


def standing(stage: Stage) -> AbstractContextManager[Loopback]:
    """The stage on a loop of its own, for commands that bring theirs."""
    return standing_at(stage.handle)


@contextmanager
def standing_at(handler: Handler) -> Iterator[Loopback]:
    """Any server on a loop of its own."""
    loop, opened, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Loopback] = []

    async def serve() -> None:
        async with serving(handler) as server:
            found.append(server)
            opened.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert opened.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def configured(directory: Path, url: str, *, token: str = HOOK_TOKEN) -> list[str]:
    file = directory / "radar.toml"
    file.write_text(
        f'state_directory = "{directory / "state"}"\n[environments.test]\nurl = "{url}"\n'
        f'[environments.test.maintenance]\nprovider = "hook"\nhook = "{url}/hook"\nhook_token = "{token}"\n'
    )
    file.chmod(0o600)
    return ["--config", str(file), "maintenance"]


@pytest.mark.parametrize(
    ("flag", "status", "words"),
    [
        (None, 0, "● maintenance is off (maintenance hook)"),
        ({"enabled": True, "message": "soon"}, 1, '▲ maintenance is on: "soon" (maintenance hook)'),
        ("perhaps", 2, "? maintenance is not known: what is kept there cannot be read as a flag"),
    ],
)
def test_the_status_is_the_flag_as_it_stands(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flag: Any,
    status: int,
    words: str,
) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    with standing(Stage(flag=flag)) as server:
        command = configured(tmp_path, server.url())
        assert main([*command, "status"]) == status
        assert main([*command, "status", "--json"]) == status
    shown = capsys.readouterr().out
    assert words.split(" ", 1)[1] in shown and "regular window: 20" in shown
    told = json.loads(shown[shown.index("{") :])
    assert told["on"] is {0: False, 1: True, 2: None}[status] and told["window"]["start"].endswith("T02:00:00Z")
    if status == 1:
        assert told["flag"] == {"on": True, "message": "soon", "since": None, "until": None, "by": ""}


def test_a_provider_that_does_not_answer_is_not_known_and_never_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with standing(Stage()) as server:
        assert main([*configured(tmp_path, server.url(), token="wrong-4711"), "status"]) == 2
    shown = capsys.readouterr()
    assert "cannot be read" in shown.out and "off" not in shown.out.split("\n")[0]
    assert "wrong-4711" not in shown.out + shown.err


QUOTED_PATH = "/t/q7w8e9x/flag?key=00112233445566778899aabbccddeeff"


def leaking(status: int, headers: dict[str, str]) -> Handler:
    """Answers with the token and with the address that it was asked at."""

    async def handle(seen: Seen, writer: Writer) -> None:
        told = {**headers} | ({"location": f"http://{seen.headers['host']}{seen.path}/"} if status == 302 else {})
        said = f"{seen.headers.get('authorization')} may not GET {seen.path}"
        writer.write(response(status, json.dumps({"error": {"message": said}}).encode(), told))
        await writer.drain()

    return handle


@pytest.mark.parametrize("status", [302, 401, 500])
def test_an_answer_that_quotes_token_and_address_is_printed_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    with standing_at(leaking(status, {"content-type": "application/json"})) as server:
        command = configured(tmp_path, server.url())
        file = Path(command[1])
        file.write_text(file.read_text().replace(f"{server.url()}/hook", server.url() + QUOTED_PATH))
        assert QUOTED_PATH in file.read_text()
        for typed in (["maintenance", "status"], ["maintenance", "status", "--json"], ["doctor"], ["doctor", "--json"]):
            main([*command[:-1], *typed])
    shown = capsys.readouterr()
    assert f"{status}" in shown.out
    for secret in (HOOK_TOKEN, "q7w8e9x", "00112233445566778899aabbccddeeff"):
        assert secret not in shown.out + shown.err


def test_without_a_provider_the_status_says_the_line_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "radar.toml"
    file.write_text(f'state_directory = "{tmp_path / "state"}"\n[environments.test]\nurl = "http://127.0.0.1:9"\n')
    assert main(["--config", str(file), "maintenance", "status"]) == 2, "nobody knows"
    assert "[environments.test.maintenance]" in capsys.readouterr().out


def test_every_setting_is_documented() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENTED, re.DOTALL)
    assert {each.name for each in fields(Maintenance) if not re.search(rf"\b{each.name} =", example)} == set()


def doctor(command: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main([*command[:-1], "doctor", "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    (one,) = [each for each in found if each["name"].startswith("maintenance")]
    return dict(one)


def test_the_doctor_reads_the_flag_and_says_the_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with standing(Stage()) as server:
        well = doctor(configured(tmp_path, server.url()), capsys)
        refused = doctor(configured(tmp_path, server.url(), token="wrong-4711"), capsys)
    assert (well["result"], well["words"]) == ("well", "maintenance hook answers: maintenance is off")
    assert refused["result"] == "failed" and "hook_token" in refused["fix"] and "wrong-4711" not in str(refused)


def test_where_another_account_holds_the_credential_the_status_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = configured(tmp_path, "http://127.0.0.1:9")
    settings = load(Path(command[1]), "test", {})
    monkeypatch.setattr(maintenance, "settings_of", lambda _: replace(settings, held_by="radar"))
    assert main([*command, "status"]) == 2
    assert "sudo -u radar radar maintenance status" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["status", "--plan"], "belong to what changes something"),
        (["status", "--reason", "why"], "belong to what changes something"),
        (["on", "--message", "x" * 201], "201 characters; 200 are the limit"),
    ],
)
def test_what_does_not_belong_together_is_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: list[str], said: str
) -> None:
    assert main([*configured(tmp_path, "http://127.0.0.1:9"), *typed]) == 3
    assert said in capsys.readouterr().err
