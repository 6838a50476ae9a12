"""`radar doctor`: what it finds, and that each finding says what to do."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import screens
from console.app import pages
from console.commands import examine_host, examine_keys, examine_store
from console.commands.examine_sources import judged
from console.commands.finding import Result
from console.model.configuration import Display
from console.model.observation import ErrorKind, Observation, Origin, Outcome
from console.model.states import State
from screens.page import Page
from tests.commands.conftest import Collector, Done, Radar, Site


def by_name(done: Done) -> dict[str, Any]:
    return {f"{finding['group']}/{finding['name']}": finding for finding in done.document["findings"]}


def observation(target: str, outcome: Outcome, **different: Any) -> Observation:
    values = {"state": State.UNKNOWN, "words": "words", "origin": Origin.API, **different}
    return Observation(target=target, outcome=outcome, **values)


def test_a_new_place_is_told_with_everything_that_is_not_configured(radar: Radar, site: Site) -> None:
    done = radar("doctor", "--offline", "--json")
    found = by_name(done)
    assert done.status == done.document["status"] == 1
    assert found["configuration/file"]["words"].startswith(str(site.file))
    assert found["store/collector"]["result"] == "warning"
    assert {name for name in found if name.startswith("not configured/")} >= {
        f"not configured/{part}" for part in ("metrics", "database", "vercel", "supabase", "vendors", "egress")
    }
    assert not site.settings.state_directory.exists(), "the doctor changes nothing"


def test_everything_that_is_not_well_has_a_fix(radar: Radar) -> None:
    for finding in radar("doctor", "--offline", "--json").document["findings"]:
        assert finding["fix"] or finding["result"] == "well", finding


def test_a_live_collector_and_sound_files_are_well(radar: Radar, collector: Collector) -> None:
    collector.round()
    found = by_name(radar("doctor", "--offline", "--json"))
    assert found["store/collector"]["result"] == "well"
    assert str(os.getpid()) in found["store/collector"]["words"]
    assert "sound" in found["store/observed.db"]["words"]


def test_a_collector_with_other_settings_is_told_with_the_difference(
    radar: Radar, site: Site, collector: Collector
) -> None:
    collector.round()
    site.file.write_text(site.file.read_text().replace('routes = ["/"]', 'routes = ["/pricing"]'))
    found = by_name(radar("doctor", "--offline", "--json"))
    assert found["store/collector"]["result"] == "warning"
    assert "routes / (ours /pricing)" in found["store/collector"]["words"]


@pytest.mark.parametrize(
    ("name", "fix", "not_the_fix"),
    [
        ("records.db", "restore it from a backup", "collector"),
        ("observed.db", "next collector sets it aside", "backup"),
    ],
)
def test_a_damaged_file_fails_with_what_helps_that_one(
    radar: Radar, site: Site, name: str, fix: str, not_the_fix: str
) -> None:
    site.settings.state_directory.mkdir(parents=True)
    (site.settings.state_directory / name).write_bytes(b"no database" * 1000)
    done = radar("doctor", "--offline", "--json")
    assert done.status == 2
    found = by_name(done)[f"store/{name}"]
    assert found["result"] == "failed"
    assert fix in found["fix"] and not_the_fix not in found["fix"]


def test_files_open_to_everybody_are_warned_of(radar: Radar, site: Site, collector: Collector) -> None:
    site.settings.observed_path.chmod(0o664)
    assert f"chmod o-rwx {site.settings.observed_path}" in radar("doctor", "--offline").out


def test_secrets_that_everybody_can_read_are_warned_of(radar: Radar, site: Site) -> None:
    site.file.write_text(site.file.read_text() + 'database = "postgresql://radar:geheim@127.0.0.1:1/postgres"\n')
    site.file.chmod(0o644)
    done = radar("doctor", "--offline")
    assert f"chmod o-rwx {site.file}" in done.out
    assert "geheim" not in done.out


def test_an_authority_whose_file_is_missing_fails(radar: Radar, site: Site) -> None:
    site.file.write_text(site.file.read_text() + 'certificate_ca = "company.pem"\n')
    found = by_name(radar("doctor", "--offline", "--json"))
    assert found["configuration/certificate_ca"]["result"] == "failed"
    (site.directory / "company.pem").touch()
    assert "configuration/certificate_ca" not in by_name(radar("doctor", "--offline", "--json"))


def test_an_unusable_configuration_is_a_finding_and_the_host_is_still_examined(radar: Radar, site: Site) -> None:
    site.file.write_text("[environments.production]\n")
    done = radar("doctor", "--json")
    found = by_name(done)
    assert done.status == done.document["status"] == 3
    assert found["configuration/file"]["result"] == "failed"
    assert "line 1" in found["configuration/file"]["words"]
    assert "host/clock" in found


def test_a_state_directory_that_cannot_be_made_fails(site: Site, radar: Radar) -> None:
    (site.directory / "state").write_text("a file")
    done = radar("doctor", "--offline", "--json")
    assert done.status == 2
    assert by_name(done)["store/directory"]["result"] == "failed"


def test_a_network_file_system_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.store import files

    site.settings.state_directory.mkdir(parents=True)
    mounts = f"36 35 98:0 / {site.directory} rw - nfs4 server:/export rw"
    refuse = files.refuse_network
    monkeypatch.setattr(examine_store, "refuse_network", lambda directory: refuse(directory, mounts))
    found = {finding.name: finding for finding in examine_store.findings(site.settings)}
    assert found["directory"].result is Result.FAILED
    assert "nfs4" in found["directory"].words


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("vercel", "vercel.com/account/tokens"),
        ("supabase.project", "supabase.com/dashboard/account/tokens"),
        ("supabase.gateway", "supabase.anon_key"),
        ("supabase.pooler", "supabase.pooler"),
        ("postgres.canary", "DATABASE_URL"),
        ("vendor:Vercel", "open the console"),
    ],
)
def test_a_refused_credential_says_where_to_get_another(target: str, says: str) -> None:
    refused = observation(target, Outcome.FORBIDDEN, error_kind=ErrorKind.CREDENTIALS)
    (finding,) = judged(refused)
    assert finding.result is Result.FAILED
    assert says in finding.fix


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_failure_has_a_fix(kind: ErrorKind) -> None:
    (finding,) = judged(observation("health", Outcome.FAILED, error_kind=kind))
    assert finding.fix


def test_an_unhealthy_target_is_no_fault_of_the_configuration() -> None:
    (finding,) = judged(observation("health", Outcome.ANSWERED, state=State.UNHEALTHY))
    assert (finding.result, finding.state) == (Result.WELL, State.DEGRADED)
    assert finding.words == "the setting is right, the system is unhealthy: words"
    (finding,) = judged(observation("health", Outcome.ANSWERED, state=State.HEALTHY))
    assert (finding.state, finding.words) == (State.HEALTHY, "answers: words")


class Failing(BaseHTTPRequestHandler):
    """Answers 500 to everything."""

    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_system_that_answers_500_is_not_shown_as_well(radar: Radar, site: Site) -> None:
    with HTTPServer(("127.0.0.1", 0), Failing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.file.write_text(site.file.read_text().replace("127.0.0.1:1", f"127.0.0.1:{server.server_port}"))
        done = radar("doctor")
        document = radar("doctor", "--json")
        server.shutdown()
    assert re.search(r"▲ route:/: the setting is right, the system is unhealthy: .*500", done.out)
    assert not re.search(r"● route:/", done.out)
    found = by_name(document)["systems/route:/"]
    assert (found["result"], found["system"]) == ("well", "unhealthy")
    assert {name for name, one in by_name(document).items() if one["result"] == "failed"} == {"systems/health"}, (
        "its answer is no health document"
    )


def test_a_role_without_pg_monitor_and_a_pooler_are_warned_of() -> None:
    facts = {"pg_monitor": False, "pooler": True}
    names = [finding.name for finding in judged(observation("postgres.activity", Outcome.ANSWERED, facts=facts))]
    assert names == ["postgres.activity", "database role", "database address"]
    well = {"pg_monitor": True, "pooler": False}
    assert len(list(judged(observation("postgres.activity", Outcome.ANSWERED, facts=well)))) == 1


# --- the keys ---


def keys(**chosen: str) -> list[tuple[str, str]]:
    named = {name.replace("__", "."): key for name, key in chosen.items()}
    return [(finding.words, finding.fix) for finding in examine_keys.findings(named)]


def test_a_key_for_a_binding_that_does_not_exist_is_told_with_the_nearest() -> None:
    ((words, fix),) = keys(screen__helth="f1")
    assert "'screen.helth' is no binding's id" in words
    assert fix == "did you mean screen.health?"


@pytest.mark.parametrize(
    "chosen",
    [
        {"screen__health": "f1", "screen__alerts": "f1"},
        {"app__contacts": "f1", "alerts__filter": "f1"},
        {"screen__alerts": "1"},
        {"app__contacts": "a"},
        {"app__help": ":"},
    ],
)
def test_two_bindings_on_one_key_are_told(chosen: dict[str, str]) -> None:
    ((words, _),) = keys(**chosen)
    assert "has two meanings" in words
    assert all(name.replace("__", ".") in words for name in chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"screen__health": "f1"},
        {"screen__health": "9", "screen__alerts": "1"},
        {"alerts__filter": "f1", "health__open": "f1"},
        {"list__down": "j,n"},
    ],
)
def test_keys_that_do_what_they_say_are_no_finding(chosen: dict[str, str]) -> None:
    assert keys(**chosen) == []


def test_the_keys_of_every_page_are_known() -> None:
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        importlib.import_module(module.name)
    shown = {page for page in below(Page) if not page.__subclasses__()}
    assert shown == set(pages()), "name it in `screens.registry`"


def below(kind: type[Page[Any]]) -> Iterator[type[Page[Any]]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("screens."):
            yield each
        yield from below(each)


def test_the_doctor_tells_of_keys(radar: Radar, site: Site) -> None:
    site.file.write_text(site.file.read_text() + '[display.keys]\n"screen.helth" = "f1"\n')
    found = by_name(radar("doctor", "--offline", "--json"))
    assert found["configuration/display.keys"]["result"] == "warning"


# --- the terminal ---------------------------------------------------------------------------------------------------


class Answering:
    """A terminal at the other end of a pseudo-terminal, which draws some glyphs double."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, double: str = "", silent: bool = False) -> None:
        self._ours, theirs = os.openpty()
        self._double = double
        self._silent = silent
        self._file = os.fdopen(theirs, "r+b", buffering=0)
        monkeypatch.setattr(sys, "stdin", self._file)
        monkeypatch.setattr(sys, "stdout", self._file)

    def serve(self) -> None:
        """Answer each question for the cursor's place until the other end is closed."""
        seen = b""
        try:
            while read := os.read(self._ours, 1024):
                seen += read
                while (found := re.match(rb".*?\x1b\[K(.*?)\x1b\[6n", seen, re.DOTALL)) and not self._silent:
                    seen = seen[found.end() :]
                    width = sum(2 if glyph in self._double else 1 for glyph in found[1].decode())
                    os.write(self._ours, b"\x1b[1;%dR" % (1 + width))
        except OSError:  # closed
            return


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    started: list[tuple[Answering, threading.Thread]] = []

    def serve(**how: Any) -> None:
        terminal = Answering(monkeypatch, **how)
        started.append((terminal, threading.Thread(target=terminal.serve, daemon=True)))
        started[-1][1].start()

    yield serve
    for terminal, thread in started:
        terminal._file.close()
        thread.join(10)  # before its descriptor's number is another terminal's
        os.close(terminal._ours)


def test_glyphs_of_one_column_are_well(served: Any) -> None:
    served()
    assert examine_host._glyphs(None).words == "all one column wide"


def test_glyphs_that_the_terminal_draws_double_are_named(served: Any) -> None:
    served(double="●▲")
    finding = examine_host._glyphs(None)
    assert finding.result is Result.WARNING
    assert finding.words == "not one column wide: ●▲"
    assert 'glyphs = "ascii"' in finding.fix


def test_a_terminal_that_does_not_answer_is_not_waited_for(served: Any) -> None:
    served(silent=True)
    assert "does not tell" in examine_host._glyphs(None).words


def test_the_ascii_set_needs_no_measuring() -> None:
    assert "ASCII" in examine_host._glyphs(Display(glyphs="ascii")).words


@pytest.mark.parametrize(
    ("term", "depth", "result"),
    [
        ("xterm-256color", "truecolor", Result.WELL),
        ("tmux-256color", "", Result.WELL),
        ("vt100", "", Result.WARNING),
        ("dumb", "", Result.FAILED),
    ],
)
def test_what_the_terminal_can_draw(monkeypatch: pytest.MonkeyPatch, term: str, depth: str, result: Result) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", depth)
    assert examine_host._kind().result is result


def test_the_whole_of_it_in_a_terminal(site: Site) -> None:
    from tests.commands.conftest import RADAR
    from tests.e2e.terminal import Terminal

    command = [*RADAR, "--config", str(site.file), "doctor", "--offline"]
    with Terminal(command, columns=100, rows=60, environment={"HOME": str(site.directory)}) as terminal:
        terminal.expect("size: 100×60", 20)
        terminal.expect("contacts: nobody to call is named", 20)
        assert terminal.wait_exit(10) == 1


def test_a_figure_of_ones_own_that_gives_no_number_is_a_warning_with_its_words() -> None:
    words = "gives several rows; aggregate them, or add order by … limit 1"
    for outcome, result in ((Outcome.ANSWERED, Result.WARNING), (Outcome.FORBIDDEN, Result.FAILED)):
        (found,) = judged(observation("sql:signups", outcome, words=words))
        assert (found.result, found.words) == (result, words)
        assert 'name = "signups"' in found.fix
    (well,) = judged(observation("prometheus:mails", Outcome.ANSWERED, words="gives one series", state=State.HEALTHY))
    assert well.result is Result.WELL


def test_figures_of_ones_own_are_asked_and_a_series_of_no_target_is_told(radar: Radar, site: Site) -> None:
    text = site.file.read_text() + 'database = "postgresql://u:p@127.0.0.1:1/x"\n'
    for name, source in (
        ("own", 'sql = "select 1"'),
        ("fine", 'series = "health|latency_ms"'),
        ("odd", 'series = "x|y"'),
    ):
        text += f'[[environments.production.custom]]\nname = "{name}"\n{source}\n'
    site.file.write_text(text)
    found = by_name(radar("doctor", "--json"))
    assert found["systems/sql:own"]["words"] == "the database is not reached: connection refused"
    assert found["configuration/custom"]["words"] == "odd reads x|y, and no target is called x"
