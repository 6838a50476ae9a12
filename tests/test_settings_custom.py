"""The settings `prometheus`, `custom` and `expose`: what they mean, and what each mistake is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.collector.secrets import Redactor, fingerprint
from console.model.configuration import CustomMetric, Environment, Prometheus, Secret
from console.settings import load
from tests.test_settings import LEAST, refused, write

DATABASE = 'database = "postgresql://a:b@c/d"\n'
OWN = '[[environments.production.custom]]\nname = "own"\n'

LEFT_OUT = [
    ("custom = [{name = 'Clients', series = 'a|b'}]", "no name for a figure", "title"),
    ("custom = [{name = 'a|b', series = 'a|b'}]", "no name for a figure", "small letters"),
    ("custom = [{name = 'a', series = 'a|b'}, {name = 'a', series = 'c|d'}]", "there twice", "another name"),
    ("custom = [{name = 'a'}]", "where the figure comes from", "exactly one of sql, query and series"),
    ("custom = [{name = 'a', series = 'a|b', query = 'up'}]", "comes from one place", "exactly one"),
    ("custom = [{name = 'a', series = 'latency'}]", "no series", "TARGET|METRIC"),
    ("custom = [{name = 'a', query = 'up'}]", "no Prometheus to ask", "[environments.production.prometheus]"),
    ("custom = [{name = 'a', sql = 'select 1'}]", "no database to ask", "${DATABASE_URL}"),
    ("custom = [{name = 'a', series = 'a|b', interval_s = 4}]", "too short or too long", "between 5 and 86400"),
    ("custom = [{name = 'a', series = 'a|b', interval_s = 90000}]", "too short or too long", "between"),
    ("custom = [{name = 'a', series = 'a|b', page = 'health'}]", "not one of its values", "'business'"),
    ("custom = [{name = 'a', series = 'a|b', statistic = 'median'}]", "not one of its values", "'p50'"),
    ("custom = [{name = 'a', series = 'a|b', target = inf}]", "a number", "a number"),
    ("custom = [{name = 'a', series = 'a|b', target = 1, at_least = 2}]", "one target", "at_least for what is to be"),
    ("custom = [{name = 'a', series = 'a|b', at_most = 1, at_least = 2}]", "one target", "at_most (as target is)"),
    ("custom = [{name = 'a', series = 'a|b', at_least = nan}]", "a number", "a number"),
    ('custom = [{name = "a", query = "up\\u001b[31m"}]', "control character", "plain text"),
    ("custom = [{name = 'a', series = 'a|b', intervall_s = 9}]", "not a setting here", "did you mean interval_s?"),
    ("custom = [{series = 'a|b'}]", "this is required", "add name"),
    ("custom = [{name = 'a', series = 'a|b', interval_s = '9'}]", "a number", "a number"),
    ("custom = [3]", "must be a table", "write it as"),
]
MISTAKES = [
    ("prometheus = {url = 'https://p', users = {requests = 'r', errors = 'e'}}", "this is required", "add duration"),
    ("custom = {name = 'a', series = 'a|b'}", "must be a list", "[[environments.production.custom]]"),
    ("custom = [{name = 'a', sql = '${NOWHERE}'}]", "NOWHERE is not set", "export NOWHERE"),
    ("prometheus = {url = 'prometheus:9090'}", "no http or https URL", "https://"),
    ("prometheus = {url = 'http://p.example.com', token = 'geheim'}", "unencrypted", "https://"),
    ("prometheus = {url = 'http://p.example.com', user = 'u', password = 'geheim'}", "unencrypted", "https://"),
    ("prometheus = {url = 'https://u:geheim@p.example.com'}", "carries a user or password", "@"),
    ("prometheus = {url = 'https://p.example.com/api/v1/'}", "further than its base", "/api/v1"),
    ("prometheus = {url = 'https://p.example.com?x=1'}", "further than its base", "leave away"),
    ("prometheus = {url = 'https://p', token = 'geheim', user = 'u', password = 'x'}", "exclude each other", "remove"),
    ("prometheus = {url = 'https://p', user = 'u'}", "belong together", "add password"),
    ("prometheus = {url = 'https://p', password = 'geheim'}", "belong together", "add user"),
    ("prometheus = {url = 'https://p', user = 'a:b', password = 'geheim'}", "no colon", "alone"),
    ("prometheus = {token = 'geheim'}", "this is required", "add url"),
    ("expose = '0.0.0.0:9464'", "reached from other hosts", "127.0.0.1:9464"),
    ("expose = '9464'", "no HOST:PORT", "127.0.0.1:9464"),
]


@pytest.mark.parametrize(("line", "problem", "fix"), MISTAKES)
def test_a_mistake_names_file_line_key_problem_and_fix(tmp_path: Path, line: str, problem: str, fix: str) -> None:
    error = refused(tmp_path, f"# a comment\n\n{LEAST}{line}\nping = '/ping'\n")
    assert problem in error.problem and fix in error.fix
    assert error.file == tmp_path / "radar.toml" and error.line == 5
    assert error.key and error.key.startswith("environments.production")


@pytest.mark.parametrize(("line", "problem", "fix"), LEFT_OUT)
def test_a_figure_that_cannot_work_is_left_out_and_told_with_file_line_key_problem_and_fix(
    tmp_path: Path, line: str, problem: str, fix: str
) -> None:
    settings = load(write(tmp_path, f"# a comment\n\n{LEAST}{line}\nping = '/ping'\n"), None, {})
    (warning,) = settings.warnings
    assert problem in warning.words and fix in warning.fix
    assert warning.words.startswith(f"{tmp_path}/radar.toml, line 5: environments.production.custom[")
    assert warning.words.endswith(": the figure is left out")
    names = ["a"] if "twice" in problem else []
    assert [metric.name for metric in settings.environment.custom] == names and settings.environment.ping == "/ping"


def test_all_mistakes_in_figures_are_told_at_once_and_the_other_figures_stay(tmp_path: Path) -> None:
    text = f"""{LEAST}{DATABASE}
[[environments.production.custom]]
name = "first"
series = "a|b"
[[environments.production.custom]]
name = "Second"
sql = "delete from clients"
interval_s = 1
[[environments.production.custom]]
name = "first"
series = "c|d"
[[environments.production.custom]]
name = "third"
series = "e|f"
"""
    settings = load(write(tmp_path, text), None, {})
    assert [(metric.name, metric.series) for metric in settings.environment.custom] == [
        ("first", "a|b"),
        ("third", "e|f"),
    ]
    own = "environments.production.custom"
    found = [warning.words.split(": ")[:3] for warning in settings.warnings]
    assert [(place.rpartition(" ")[2], key, problem) for place, key, problem in found] == [
        ("9", f"{own}[1].name", "this is no name for a figure"),
        ("11", f"{own}[1].interval_s", "this interval is too short or too long"),
        ("10", f"{own}[1].sql", "this statement does not read"),
        ("13", f"{own}[2].name", "'first' is there twice"),
    ]


def test_an_error_elsewhere_is_an_error_beside_a_wrong_figure_too(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, f"{LEAST}health = 'x'\ncustom = [{{name = 'A'}}]\n").key == "environments.production.health"
    )


def test_escapes_in_the_key_of_a_figure_reach_no_terminal(tmp_path: Path) -> None:
    text = LEAST + 'custom = [{name = "a", series = "a|b", "\\u001b[31mred" = 1}]\n'
    (warning,) = load(write(tmp_path, text), None, {}).warnings
    assert "\x1b" not in str(warning)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("select 1; drop table clients", "more than one statement"),
        ("delete from clients", "does not read"),
        ("/* select */ update clients set plan = 1", "does not read"),
        (";", "does not read"),
        ("-- nothing", "does not read"),
    ],
)
def test_a_statement_that_is_none_of_one_figure_is_told_with_its_line(
    tmp_path: Path, statement: str, problem: str
) -> None:
    text = f'{LEAST}{DATABASE}{OWN}sql = """\n{statement}\n"""\n'
    (warning,) = load(write(tmp_path, text), None, {}).warnings
    assert problem in warning.words and "begins with select, with or table" in warning.fix
    assert "line 6: environments.production.custom[0].sql" in warning.words


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*)\n\tfrom clients -- all; of them\n where plan <> 'a;b';",
        "WITH paid AS (select 1) select count(*) from paid",
        "(table clients limit 1)",
        """/* one; */ select $$;$$ || $a$ ; $$ $a$ || E'\\';' || "a;b" from x ; -- end""",
    ],
)
def test_a_statement_may_have_lines_and_semicolons_that_end_nothing(tmp_path: Path, statement: str) -> None:
    text = f"{LEAST}{DATABASE}{OWN}sql = '''\n{statement} '''\n"
    (metric,) = load(write(tmp_path, text), None, {}).environment.custom
    assert (metric.sql, metric.interval_s, metric.page) == (f"{statement} ", 60.0, "custom")


def test_only_statements_may_have_several_lines(tmp_path: Path) -> None:
    assert "line break" in refused(tmp_path, f'{LEAST}label = """a\nb"""\n').problem


def test_everything_is_read(tmp_path: Path) -> None:
    text = f"""{LEAST}expose = "localhost:9464"
[environments.production.prometheus]
url = "https://p.example.com/prefix"
token = "${{PROMETHEUS_TOKEN}}"
[[environments.production.custom]]
name = "mails"
title = "mails sent"
page = "business"
query = "sum(rate(mails_total[5m]))"
statistic = "max"
unit = "/s"
target = 3
interval_s = 5
"""
    environment = load(write(tmp_path, text), None, {"PROMETHEUS_TOKEN": "geheim"}).environment
    assert environment.expose == "localhost:9464"
    assert environment.prometheus == Prometheus(url="https://p.example.com/prefix", token=Secret("geheim"))
    (metric,) = environment.custom
    assert (metric.name, metric.title, metric.page, metric.statistic) == ("mails", "mails sent", "business", "max")
    assert (metric.unit, metric.target, metric.interval_s) == ("/s", 3.0, 5.0)
    assert "geheim" not in repr(environment)


def test_a_password_in_the_file_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    text = f'{LEAST}prometheus = {{url = "https://p", user = "u", password = "geheim"}}\n'
    assert load(write(tmp_path, text, 0o644), None, {}).warnings
    assert not load(write(tmp_path, text, 0o600), None, {}).warnings


def test_collectors_that_ask_other_things_have_other_fingerprints() -> None:
    metric = CustomMetric(name="own", sql="select 1")
    base = Environment(
        name="test",
        url="https://app.example.com",
        prometheus=Prometheus(url="https://p.example.com", token=Secret("first-token")),
        custom=(metric,),
    )
    others = [
        replace(base, custom=(replace(metric, sql="select 2"),)),
        replace(base, custom=(replace(metric, interval_s=5.0),)),
        replace(base, custom=()),
        replace(base, prometheus=Prometheus(url="https://q.example.com", token=Secret("first-token"))),
        replace(base, prometheus=Prometheus(url="https://p.example.com", token=Secret("other-token"))),
    ]
    assert fingerprint(base) == fingerprint(replace(base))
    assert len({fingerprint(each).digest for each in (base, *others)}) == 6
    assert fingerprint(replace(base, expose="127.0.0.1:9464")).digest == fingerprint(base).digest
    assert "first-token" not in repr(fingerprint(base))
    assert "first-token" not in Redactor(base)("it said first-token")
