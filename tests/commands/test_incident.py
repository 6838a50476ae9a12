"""`radar incident`: notes, and the time line as Markdown that obeys nothing from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.model.actions import RunOutcome
from console.model.incident import escaped
from console.model.times import iso
from console.store.notes import NOTE_LIMIT
from tests.commands.conftest import Radar, Site
from tests.commands.recorded import HOSTILE, MINUTE_MS, Shift, past

CORPUS = json.loads((Path(__file__).parents[1] / "fixtures/terminal_escape_corpus.json").read_text("utf-8"))["cases"]


def table(text: str) -> list[list[str]]:
    """The rows of the time line: their cells, by the bars that nothing escapes."""
    rows = text.partition("## Time line\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.replace("\\|", "¦").strip("|").split("|")] for row in rows]


# Notes


def test_a_note_is_on_record_with_who_and_when(radar: Radar) -> None:
    assert radar("incident", "note", "restarted the worker").out == "noted\n"
    (note,) = radar("incident", "export", "--from", "-1m", "--json").document["happened"]
    assert (note["kind"], note["text"]) == ("note", "restarted the worker")
    assert note["by"] and note["at"].endswith("Z")


def test_a_note_is_one_document(radar: Radar) -> None:
    assert radar("incident", "note", "x", "--json").document == {"noted": "x"}


def test_a_note_without_quotes_is_told_how_to_be_written(radar: Radar) -> None:
    done = radar("incident", "note", "two", "words; rm")
    assert done.status == 3 and done.out == ""
    assert done.err == "radar: write the note as one argument, in quotes: radar incident note 'two words; rm'\n"


@pytest.mark.parametrize("text", [" ", "\n", "x" * (NOTE_LIMIT + 1)])
def test_a_note_that_is_none_is_refused(radar: Radar, text: str) -> None:
    done = radar("incident", "note", text)
    assert done.status == 2 and "note" in done.err


@pytest.mark.parametrize("typed", [
    ("note",), ("note", ""), ("export",), ("export", "a text", "--from", "-1h"), ("export", "--from", "soon"),
    ("export", "--from", "tomorrow"), ("export", "--from", "-1h", "--to", "-2h"), ("export", "--from", "-31d"),
    ("export", "--from", "2026-11-20T99:00"),
])  # fmt: skip
def test_what_is_not_said_or_means_nothing_ends_with_3(radar: Radar, typed: tuple[str, ...]) -> None:
    done = radar("incident", *typed)
    assert done.status == 3 and done.err.startswith("radar: ") and done.out == ""


# The time line


def test_the_time_line_holds_all_that_happened_in_its_order(radar: Radar, site: Site) -> None:
    past(site)
    shift = Shift(site)
    shift.run(RunOutcome.DONE, title="Roll back to 41ab9e0", reason="errors")
    shift.silence("we know")
    shift.close()
    radar("incident", "note", "over")
    done = radar("incident", "export", "--from", "-25m")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("# Incident in production\n\nFrom ")
    rows = table(done.out)
    assert [row[1] for row in rows[:5]] == ["deployment", "state", "alert", "alert over", "state"]
    assert {row[1] for row in rows[5:]} == {"action", "step", "action over", "silence", "note"}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert all(len(row) == 4 for row in rows)
    assert "| when (UTC) | kind | what | by |" in done.out
    (step,) = [row[2] for row in rows if row[1] == "step"]
    assert step == "run 1: ask the remote: done: the remote took it", "as the plan calls it, not by its key"


@pytest.mark.parametrize(("begin", "end", "kinds"), [
    ("-15m", None, {"alert over", "state"}), ("-25m", "-15m", {"deployment", "state", "alert"}),
    ("-5m", None, set()), ("-30d", "-29d", set()),
])  # fmt: skip
def test_only_what_happened_between_the_times_is_told(
    radar: Radar, site: Site, begin: str, end: str | None, kinds: set[str]
) -> None:
    past(site)
    until = ["--to", end] if end else []
    told = radar("incident", "export", "--from", begin, *until, "--json").document
    assert {each["kind"] for each in told["happened"]} == kinds
    assert all(told["from"] <= each["at"] <= told["to"] for each in told["happened"])


def test_a_moment_may_be_written_in_full(radar: Radar, site: Site) -> None:
    begin_ms = past(site)
    told = radar(
        "incident", "export", "--from", iso(begin_ms), "--to", iso(begin_ms + 5 * MINUTE_MS), "--json"
    ).document
    assert (told["from"], told["to"]) == (iso(begin_ms), iso(begin_ms + 5 * MINUTE_MS))


def test_a_time_in_which_nothing_happened_says_so(radar: Radar) -> None:
    done = radar("incident", "export", "--from", "-1h")
    assert done.status == 0
    assert "Nothing is on record in this time." in done.out and "## Figures" not in done.out
    assert radar("incident", "export", "--from", "-1h", "--json").document["happened"] == []


def test_figures_stand_in_one_table_and_what_is_not_known_is_no_number(radar: Radar, site: Site) -> None:
    past(site)
    lines = radar("incident", "export", "--from", "-40m").out.partition("## Figures\n\n")[2].splitlines()
    assert lines, "the canary was recorded"
    assert "sql" in lines[0] and "target" in lines[2]
    values = [line.split("|")[2].strip() for line in lines[3:] if line]
    assert values[0] == "?", "before anything was recorded"
    whens = [line.split("|")[1] for line in lines[3:] if line]
    assert len(set(whens)) == len(whens), "two rows of one moment"
    assert any(value.startswith("1,8") for value in values) and len({line.count("|") for line in lines if line}) == 1
    figures = radar("incident", "export", "--from", "-40m", "--json").document["figures"]
    assert figures[0]["values"][0]["value"] is None


# What comes from outside


def test_markdown_obeys_nothing_from_outside(radar: Radar, site: Site) -> None:
    past(site, deployed=HOSTILE)
    shift = Shift(site)
    shift.silence(HOSTILE)
    shift.run(RunOutcome.DONE, title=HOSTILE, reason=HOSTILE)
    shift.close()
    radar("incident", "note", HOSTILE)
    text = radar("incident", "export", "--from", "-1h").out
    assert not {"\x1b", "\x9b", "‮", "\r"} & set(text)
    assert all(len(row) == 4 for row in table(text)), "a bar or a line end from outside made a cell or a row"
    for living in ("[click](", "<b>", "*x*", "https://", " www."):
        assert living not in text, living


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["name"])
def test_no_escape_of_the_corpus_reaches_the_terminal(radar: Radar, case: dict[str, object]) -> None:
    text = str(case["input"])
    if text.strip():
        radar("incident", "note", text)
    shown = radar("incident", "export", "--from", "-1m").out + radar("handover").out
    forbidden = [str(each) for each in case["must_not_contain"] if each]  # type: ignore[attr-defined]  # a list
    assert [each for each in forbidden if each in shown] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("&lt;b&gt; &#60;", "\\&lt;b\\&gt; \\&\\#&#8203;60;"),
        ("costs $x$", "costs \\$x\\$"),
        (":smile: :+1: :100:", ":&#8203;smile: :&#8203;\\+1: :&#8203;100:"),
        ("ask @oncall", "ask @&#8203;oncall"),
        ("to op1@mail.example.com", "to op1@&#8203;mail.example.com"),
        ("see #12 and acme/shop#3", "see \\#&#8203;12 and acme/shop\\#&#8203;3"),
        ("at 03:04:05, run 1: flag: done", "at 03:04:05, run 1: flag: done"),
    ],
)
def test_nothing_is_decoded_typeset_linked_or_called(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_what_is_escaped_can_still_be_read() -> None:
    assert escaped("41ab9e0 live (op1), 38 %") == "41ab9e0 live \\(op1\\), 38 %"
    assert escaped("two\nlines") == "two↵lines"


# Where it is written


def test_a_file_is_written_for_its_owner_and_never_over_another(radar: Radar, tmp_path: Path) -> None:
    file = tmp_path / "incident.md"
    done = radar("incident", "export", "--from", "-1h", "--output", str(file))
    assert (done.status, done.out) == (0, "")
    assert file.read_text().startswith("# Incident in production") and file.stat().st_mode & 0o007 == 0
    file.write_text("what somebody wrote into it")
    done = radar("incident", "export", "--from", "-1h", "--output", str(file))
    assert (
        done.status == 2 and done.err == f"radar: {file} is there already, and is not written over: name another file\n"
    )
    assert file.read_text() == "what somebody wrote into it"


def test_a_link_is_not_followed(radar: Radar, tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to(tmp_path / "target.md")
    assert radar("incident", "export", "--from", "-1h", "--output", str(tmp_path / "link.md")).status == 2
    assert not (tmp_path / "target.md").exists()


def test_a_place_that_is_none_ends_with_2(radar: Radar, tmp_path: Path) -> None:
    done = radar("incident", "export", "--from", "-1h", "--output", str(tmp_path / "none" / "x.md"))
    assert done.status == 2 and "Traceback" not in done.err


def test_a_store_that_cannot_be_read_ends_with_2(radar: Radar, site: Site) -> None:
    site.settings.state_directory.mkdir(parents=True)
    site.settings.observed_path.write_bytes(b"this is no database" * 1000)
    assert radar("incident", "export", "--from", "-1h").status == 2
