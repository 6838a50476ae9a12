"""radar.toml: what is found, what it means, and what each mistake is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import console.settings
from console.model.configuration import Egress, Secret, Settings, Thresholds
from console.model.toml_lines import key_lines, line_of
from console.settings import SettingsError, find_file, load
from tests.mistakes import MISTAKES

REF = "abcdefghijklmnopqrst"
LEAST = '[environments.production]\nurl = "https://app.example.com"\n'
FULL = f"""
state_directory = "state"

[display]
theme = "light"
glyphs = "ascii"
keys = {{ "screen.health" = "f1" }}

[environments.production]
url = "https://app.example.com/"
routes = ["/", "/pricing"]
metrics = "/api/metrics"
database = "${{DATABASE_URL}}"
database_ca = "ca.pem"
certificates = ["db.example.com:5432", "[::1]:443"]

[environments.production.vercel]
token = "${{VERCEL_TOKEN}}"
project = "prj_1"

[environments.production.supabase]
ref = "{REF}"
token = "${{SUPABASE_TOKEN}}"

[[environments.production.vendors]]
name = "Vercel"
url = "https://www.vercel-status.com"

[[environments.production.vendors]]
name = "Supabase"
url = "https://status.supabase.com"
components = ["Database"]

[environments.production.thresholds]
memory_share = 0.9
p95_ms = 250

[environments.production.intervals]
application_s = 10

[[environments.production.rules]]
name = "slow canary"
series = "postgres.canary|latency_ms"
above = 100
statistic = "p95"

[[environments.production.contacts.database]]
name = "DBA on call"
phone = "+49 30 1234"

[environments.production.links]
runbook = "https://wiki.example.com/runbook"
"""
VARIABLES = {
    "DATABASE_URL": "postgresql://radar:geheim@db.example.com:5432/postgres",
    "VERCEL_TOKEN": "vercel-geheim",
    "SUPABASE_TOKEN": "sbp-geheim",
}


def write(directory: Path, text: str, mode: int = 0o600) -> Path:
    file = directory / "radar.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def refused(directory: Path, text: str, environment: str | None = None, **variables: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(write(directory, text), environment, variables)
    assert "geheim" not in str(caught.value)
    assert caught.value.fix
    return caught.value


# --- what is read ---------------------------------------------------------------------------------------------------


def test_the_least_configuration_is_one_url(tmp_path: Path) -> None:
    settings = load(write(tmp_path, LEAST), None, {"HOME": str(tmp_path)})
    assert settings.environment.name == "production"
    assert settings.environment.health == "/api/v1/system/health"
    assert settings.environment.database is None
    assert settings.environment.egress == Egress()
    assert settings.environment.thresholds == Thresholds()
    assert settings.state_directory == tmp_path / ".local/state/radar/production"


def test_every_table_is_read(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FULL), None, VARIABLES)
    environment = settings.environment
    assert environment.url == "https://app.example.com"
    assert environment.routes == ("/", "/pricing")
    assert environment.database == Secret(VARIABLES["DATABASE_URL"])
    assert environment.database_ca == str(tmp_path / "ca.pem")
    assert environment.vercel and environment.vercel.token == Secret("vercel-geheim")
    assert environment.supabase and environment.supabase.ref == REF
    assert [vendor.name for vendor in environment.vendors] == ["Vercel", "Supabase"]
    assert environment.vendors[1].components == ("Database",)
    assert environment.thresholds.memory_share == 0.9
    assert environment.thresholds.p95_ms == 250.0
    assert environment.intervals.application_s == 10.0
    assert environment.rules[0].above == 100.0
    assert environment.contacts["database"][0].phone == "+49 30 1234"
    assert environment.links == {"runbook": "https://wiki.example.com/runbook"}
    assert settings.display.theme == "light"
    assert settings.display.keys == {"screen.health": "f1"}
    assert settings.state_directory == tmp_path / "state" / "production"


def test_the_witness_can_be_switched_off(tmp_path: Path) -> None:
    assert load(write(tmp_path, LEAST + "egress = false\n"), None, {}).environment.egress is None


def test_secrets_hide_in_every_picture_of_the_settings(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FULL), None, VARIABLES)
    assert "geheim" not in repr(settings)
    assert "geheim" not in f"{settings.environment.database} {settings.environment.database!r:>40}"


# --- which file -----------------------------------------------------------------------------------------------------


def test_the_order_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "xdg" / "radar" / "radar.toml"
    own.parent.mkdir(parents=True)
    own.write_text(LEAST)
    system = tmp_path / "etc.toml"
    system.write_text(LEAST)
    monkeypatch.setattr(console.settings, "SYSTEM_FILE", system)
    found = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "RADAR_CONFIG": "/named/by/variable.toml"}
    assert find_file(Path("/named.toml"), found) == Path("/named.toml")
    assert find_file(None, found) == Path("/named/by/variable.toml")
    assert find_file(None, {**found, "RADAR_CONFIG": ""}) == own
    own.unlink()
    assert find_file(None, {**found, "RADAR_CONFIG": ""}) == system


def test_the_working_directory_is_never_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LEAST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.settings, "SYSTEM_FILE", tmp_path / "none.toml")
    with pytest.raises(SettingsError, match=r"there is no configuration.*none\.toml") as caught:
        find_file(None, {"HOME": "/nonexistent", "XDG_CONFIG_HOME": "relative"})
    assert "radar demo" in caught.value.fix


@pytest.mark.parametrize("kind", ["missing", "directory", "huge", "latin1"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "radar.toml"
    if kind == "directory":
        file.mkdir()
    elif kind == "huge":
        file.write_bytes(b"#" * (2 << 20))
    elif kind == "latin1":
        file.write_bytes(b'# gut\nurl = "caf\xe9"\n')
    with pytest.raises(SettingsError) as caught:
        load(file, None, {})
    assert caught.value.file == file
    assert caught.value.line == (2 if kind == "latin1" else None)
    if kind == "directory":
        assert "this is a directory" in str(caught.value)
        assert caught.value.fix == f"name the file itself: --config {file}/radar.toml"


# --- variables ------------------------------------------------------------------------------------------------------


def test_a_variable_comes_from_the_process_else_from_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VERCEL_TOKEN='beside $HOME'\nDATABASE_URL=postgresql://a@b/c\nSUPABASE_TOKEN=x\n")
    (tmp_path / ".env").chmod(0o600)
    before = dict(os.environ)
    settings = load(write(tmp_path, FULL), None, {"DATABASE_URL": "postgresql://process@b/c"})
    assert settings.environment.database == Secret("postgresql://process@b/c")
    assert settings.environment.vercel and settings.environment.vercel.token == Secret("beside $HOME")
    assert dict(os.environ) == before


def test_a_demo_is_not_given_what_its_user_has_exported(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://demo@b/c\n")
    text = '[demo]\ndirectory = "."\n[environments.demo]\nurl = "http://127.0.0.1:1"\ndatabase = "${DATABASE_URL}"\n'
    settings = load(write(tmp_path, text), None, {"DATABASE_URL": "postgresql://production@b/c"})
    assert settings.environment.database == Secret("postgresql://demo@b/c")
    assert settings.demo_directory == tmp_path


def test_a_variable_that_is_not_set_is_named_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, FULL, DATABASE_URL=VARIABLES["DATABASE_URL"])
    assert error.problem == "the variable VERCEL_TOKEN is not set"
    assert error.key == "environments.production.vercel.token"
    assert FULL.splitlines()[(error.line or 0) - 1] == 'token = "${VERCEL_TOKEN}"'
    assert str(tmp_path / ".env") in error.fix


def test_a_variable_cannot_become_another_key(tmp_path: Path) -> None:
    text = '[environments.production]\nurl = "https://${HOST}"\n'
    error = refused(tmp_path, text, HOST='a"\nhealth = "/geheim')
    assert error.key == "environments.production.url"


def test_variables_of_other_environments_need_not_be_set(tmp_path: Path) -> None:
    text = LEAST + '[environments.staging]\nurl = "https://staging.example.com"\ndatabase = "${STAGING}"\n'
    assert load(write(tmp_path, text), None, {}).environments == ("production", "staging")
    assert refused(tmp_path, text, "staging").problem == "the variable STAGING is not set"


# --- environments ---------------------------------------------------------------------------------------------------


def test_production_is_the_default_and_a_sole_one_needs_no_name(tmp_path: Path) -> None:
    staging = '[environments.staging]\nurl = "https://staging.example.com"\n'
    assert load(write(tmp_path, staging + LEAST), None, {}).environment.name == "production"
    assert load(write(tmp_path, staging + LEAST), "staging", {}).environment.name == "staging"
    assert load(write(tmp_path, staging), None, {}).environment.name == "staging"


def test_without_production_several_environments_must_be_chosen_from(tmp_path: Path) -> None:
    text = '[environments.a]\nurl = "https://a.example.com"\n[environments.b]\nurl = "https://b.example.com"\n'
    assert "--env with one of: a, b" in refused(tmp_path, text).fix
    assert "there is no environment 'c'" in refused(tmp_path, text, "c").problem


@pytest.mark.parametrize("name", ['"../etc"', '"a b"', '"A"', '""', '"' + "a" * 40 + '"'])
def test_an_environment_that_could_not_be_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    assert "no name" in refused(tmp_path, f'[environments.{name}]\nurl = "https://a.example.com"\n').problem


def test_the_shared_state_is_used_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.settings, "SHARED_STATE", tmp_path / "shared")
    own = load(write(tmp_path, LEAST), None, {"XDG_STATE_HOME": str(tmp_path / "own")})
    assert own.state_directory == tmp_path / "own" / "radar" / "production"
    (tmp_path / "shared" / "production").mkdir(parents=True)
    assert load(write(tmp_path, LEAST), None, {}).state_directory == tmp_path / "shared" / "production"


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "problem", "fix"), MISTAKES)
def test_a_mistake_names_file_line_key_problem_and_fix(tmp_path: Path, line: str, problem: str, fix: str) -> None:
    error = refused(tmp_path, f"# a comment\n\n{LEAST}{line}\nping = '/ping'\n")
    assert problem in error.problem
    assert fix in error.fix
    assert error.file == tmp_path / "radar.toml"
    assert error.key and error.key.startswith("environments.production")
    assert error.line == 5


@pytest.mark.parametrize("url", ["app.example.com", "https://", "ftp://a.b", "https://a b.example.com", "http://[::1"])
def test_a_url_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, f'[environments.production]\nurl = "{url}"\n')
    assert (error.key, error.line) == ("environments.production.url", 2)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", None, "no environment is configured"),
        ("environments = 3", 1, "no environment is configured"),
        ("[environments.production]\n", 1, "this is required"),
        ("colour = 1\n" + LEAST, 1, "'colour' is not a setting here"),
        ("state_directory = 3\n" + LEAST, 1, "path of a directory"),
        ("[display]\ntheme = 'neon'\n" + LEAST, 2, "not one of its values"),
        ("[environments.production]\nurl = \n", 2, "not valid TOML"),
        ("[environments.production]\nurl = 'a'\nurl = 'b'\n", 3, "not valid TOML"),
        ("[environments.production\n", 1, "not valid TOML"),
    ],
)
def test_the_file_as_a_whole(tmp_path: Path, text: str, line: int | None, problem: str) -> None:
    error = refused(tmp_path, text)
    assert problem in error.problem
    assert error.line == line


def test_a_file_that_everybody_can_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="everybody on this host can change it"):
        load(write(tmp_path, LEAST, mode=0o666), None, {})


def test_secrets_that_everybody_can_read_are_warned_of(tmp_path: Path) -> None:
    literal = LEAST + 'database = "postgresql://a:b@c/d"\n'
    assert "everybody on this host can read it" in load(write(tmp_path, literal, 0o644), None, {}).warnings[0].words
    assert load(write(tmp_path, literal, 0o640), None, {}).warnings == ()
    assert load(write(tmp_path, LEAST, 0o644), None, {}).warnings == ()
    by_name = LEAST + 'database = "${DATABASE_URL}"\n'
    assert load(write(tmp_path, by_name, 0o644), None, VARIABLES).warnings == ()
    (tmp_path / ".env").write_text("A=b\n")
    (tmp_path / ".env").chmod(0o644)
    assert load(write(tmp_path, by_name, 0o644), None, VARIABLES).warnings[0].words.startswith(str(tmp_path / ".env"))


# --- where a key stands ---------------------------------------------------------------------------------------------


def test_the_line_of_a_key_is_found_behind_values_of_several_lines() -> None:
    text = (
        'a = """\n[not.a.table]\nb = 1\n"""\n'  # 1-4
        "c = [\n  '[x]', # ]\n  { d = 1 },\n]\n"  # 5-8
        '[t."quoted key"]\ne.f = 1\n'  # 9-10
        "[[list]]\ng = 1\n[[list]]\ng = 2\n[list.inner]\nh = 1\n"  # 11-16
    )
    lines = key_lines(text)
    assert (lines[("a",)], lines[("c",)]) == (1, 5)
    assert ("b",) not in lines and ("not", "a", "table") not in lines
    assert lines[("t", "quoted key", "e", "f")] == 10
    assert (lines[("list", 0, "g")], lines[("list", 1, "g")], lines[("list", 1, "inner", "h")]) == (12, 14, 16)
    assert line_of(lines, ("c", 1, "d")) == 5
    assert line_of(lines, ("nowhere",)) is None


@given(st.text(alphabet="ab=.[]{}\"'\\#\n \t,", max_size=80))
def test_any_text_has_lines_or_none_but_no_defect(text: str) -> None:
    assert all(1 <= line <= len(text.splitlines()) for line in key_lines(text).values())


@given(st.text(max_size=200))
def test_any_file_gives_settings_or_an_error_for_people(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "radar.toml"
        file.write_text(LEAST + text, encoding="utf-8", errors="surrogatepass")
        try:
            settings = load(file, None, {})
        except SettingsError as error:
            assert error.fix
        else:
            assert isinstance(settings, Settings)


# --- what it costs --------------------------------------------------------------------------------------------------


def test_loading_imports_nothing_slow(tmp_path: Path) -> None:
    file = write(tmp_path, FULL)
    code = (
        "import sys; from pathlib import Path; from console.settings import load\n"
        f"load(Path({str(file)!r}), None, {VARIABLES!r})\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not re.findall(r"'(msgspec|dotenv|httpx|psycopg|textual)'", loaded)
