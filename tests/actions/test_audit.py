"""The audit: what an edit, a cut or a rewrite shows, what only outside shows, and breaking the glass."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from console.actions import audit_check, break_glass
from console.actions.anchors import anchor, line_of
from console.actions.host_checks import logind_settings, session_check
from console.model.actions import CheckResult, Plan, Risk
from console.model.configuration import Secret
from console.model.operations import Audit
from console.model.ports import Refused
from console.sources.http import Clients
from console.store import audit
from console.store.identity import Who
from console.store.records import Records
from tests.actions.place import Place, place
from tests.sources.loopback import answering, serving

WHO = Who(1000, "op1", "uid")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path / "records.db")
    for number in range(5):
        entered(made, f"words {number}")
    return made


def entered(records: Records, words: str) -> audit.Entry:
    fact = audit.Fact("begun", "prj", words, {})
    return records.write(lambda connection: audit.append(connection, 1_000, WHO, fact))


def verdict(records: Records, anchors: audit_check.Anchors | None = None) -> audit_check.Verdict:
    return audit_check.verify(records, anchors or {}, "nothing")


def known(records: Records) -> audit_check.Anchors:
    lines = [line_of(each) for each in records.read(lambda connection: list(audit.entries(connection)))]
    return audit_check.anchors_in(lines)


def test_a_whole_chain_holds_and_says_what_is_known_nowhere_else(records: Records) -> None:
    found = verdict(records)
    assert found.holds and found.entries == 5 and found.unanchored == (1, 2, 3, 4, 5)
    assert verdict(records, known(records)).unanchored == ()


@pytest.mark.parametrize("change", [
    "UPDATE audit SET words = 'other' WHERE id = 3",
    "UPDATE audit SET actor = 'op2' WHERE id = 3",
    "UPDATE audit SET at_ms = 5 WHERE id = 3",
    "UPDATE audit SET data = '{\"a\": 1}' WHERE id = 3",
])  # fmt: skip
def test_an_edit_shows(records: Records, change: str) -> None:
    records.write(lambda connection: connection.execute(change))
    assert verdict(records).broken == ("entry 3 was changed: its hash is not that of its words",)


@pytest.mark.parametrize(("change", "words"), [
    ("DELETE FROM audit WHERE id = 3", "entries 3 to 3 are missing"),
    ("DELETE FROM audit WHERE id > 3", "entries 4 to 5 are missing: the end was cut off"),
    ("DELETE FROM audit WHERE id < 3", "entries 1 to 2 are missing"),
])  # fmt: skip
def test_what_was_taken_out_shows(records: Records, change: str, words: str) -> None:
    records.write(lambda connection: connection.execute(change))
    assert words in verdict(records).missing and not verdict(records).holds


def test_a_careful_cut_and_a_rewrite_show_only_outside(records: Records) -> None:
    outside = known(records)
    records.write(lambda connection: connection.execute("DELETE FROM audit WHERE id > 3"))
    records.write(lambda connection: connection.execute("UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit'"))
    entered(records, "a lie")
    assert verdict(records).holds  # by the file alone nothing speaks against it
    found = verdict(records, outside)
    assert not found.holds and found.contradicted == (4,) and found.gone == (5,)


def test_who_rewrites_the_chain_cannot_log_himself_right(records: Records) -> None:
    outside = [line_of(each) for each in records.read(lambda connection: list(audit.entries(connection)))]
    records.write(lambda connection: connection.execute("DELETE FROM audit WHERE id > 3"))
    records.write(lambda connection: connection.execute("UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit'"))
    lie = entered(records, "a lie")
    assert verdict(records, audit_check.anchors_in([*outside, line_of(lie)])).contradicted == (4,)


async def test_each_entry_goes_to_the_sinks_and_what_took_it_is_noted(records: Records, tmp_path: Path) -> None:
    entry = entered(records, "with a reason that is secret")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sink:
        sink.bind(str(tmp_path / "log"))
        async with serving(answering(200, b"ok")) as hook:
            settings = Audit(webhook=Secret(hook.url("/T0/secret")))
            await anchor(records, entry, settings, Clients(), tmp_path / "log")
        told = sink.recv(4096).decode()
    assert audit_check.anchors_in([told]) == {entry.id: {entry.hash}} and "secret" not in told
    assert entry.hash.encode() in hook.requests[0].body and b"secret" not in hook.requests[0].body
    assert noted(records) == [("syslog", 1, ""), ("webhook", 1, "")]


async def test_a_sink_that_takes_nothing_is_noted_without_its_address(records: Records, tmp_path: Path) -> None:
    entry = entered(records, "words")
    async with serving(answering(500, b"no")) as hook:
        settings = Audit(webhook=Secret(hook.url("/T0/secret")))
        await anchor(records, entry, settings, Clients(), tmp_path / "nothing")
    assert [(sink, taken) for sink, taken, _ in noted(records)] == [("syslog", 0), ("webhook", 0)]
    assert "secret" not in str(noted(records))


def noted(records: Records) -> list[tuple[str, int, str]]:
    return records.read(lambda connection: connection.execute("SELECT sink, taken, words FROM anchor").fetchall())


# Breaking the glass


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def close_records(here: Place) -> None:
    """records.db takes nothing any more."""
    here.records().request_poll()
    connection = sqlite3.connect(here.settings.records_path)
    connection.executescript(
        "CREATE TRIGGER a BEFORE UPDATE ON run BEGIN SELECT RAISE(FAIL, 'no'); END; PRAGMA user_version = 9;"
    )
    connection.close()


def test_glass_is_broken_only_when_records_cannot_be_written(here: Place, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no glass to break"):
        break_glass.second_place(here.settings, [tmp_path / "a" / "b"])
    close_records(here)
    assert break_glass.second_place(here.settings, [tmp_path / "a" / "b"]) == tmp_path / "a" / "b"
    with pytest.raises(Refused, match="the escape card needs none"):
        break_glass.second_place(here.settings, [])


def test_a_place_that_somebody_else_made_is_not_used(here: Place, tmp_path: Path) -> None:
    close_records(here)
    (tmp_path / "real").mkdir()
    (tmp_path / "trap").symlink_to(tmp_path / "real")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(Refused):
        break_glass.second_place(here.settings, [tmp_path / "trap" / "x", tmp_path / "open" / "x"])


# The session


def plan(risk: Risk) -> Plan:
    return Plan(action="a", title="t", environment="e", target="x", short_id="x", risk=risk, exclusion=None, checks=(),
                steps=())  # fmt: skip


SCOPE = "0::/user.slice/user-1000.slice/session-3.scope"


@pytest.mark.parametrize(("risk", "cgroup", "kill", "result"), [
    (Risk.DESTRUCTIVE, SCOPE, "yes", CheckResult.FAIL), (Risk.DISRUPTIVE, SCOPE, "yes", CheckResult.WARN),
    (Risk.DESTRUCTIVE, SCOPE, "no", None), (Risk.DESTRUCTIVE, "0::/system.slice/radar.service", "yes", None),
])  # fmt: skip
def test_a_run_that_logging_out_would_kill_is_told_before(
    risk: Risk, cgroup: str, kill: str, result: CheckResult | None
) -> None:
    settings = {"killuserprocesses": kill, "killexcludeusers": "somebody-else"}
    found = session_check(plan(risk), cgroup=cgroup, settings=settings)
    assert [check.result for check in found] == ([result] if result else [])


def test_logind_is_read_as_systemd_reads_it(tmp_path: Path) -> None:
    near, far = tmp_path / "etc", tmp_path / "usr"
    for place_, main in ((near, "no"), (far, "yes")):
        (place_ / "logind.conf.d").mkdir(parents=True)
        (place_ / "logind.conf").write_text(f"[Login]\nKillUserProcesses={main}\n")
    assert logind_settings([str(near), str(far)])["killuserprocesses"] == "no"
    (far / "logind.conf.d" / "50-a.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    assert logind_settings([str(near), str(far)])["killuserprocesses"] == "yes"
    (near / "logind.conf.d" / "50-a.conf").write_text("[Login]\n#nothing\n")  # hides the one of the same name
    assert logind_settings([str(near), str(far)])["killuserprocesses"] == "no"
