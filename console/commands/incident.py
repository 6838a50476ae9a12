"""`radar incident note TEXT`, `radar incident export --from TIME`: notes, and the time line as Markdown."""

from __future__ import annotations

import argparse
import os
import shlex
from contextlib import closing
from pathlib import Path

from console.cli import FAILED, UNUSABLE, WELL
from console.commands import documents
from console.commands.concealing import concealed
from console.commands.output import Output, add_json, complain, document, tell_hidden
from console.commands.parts import operator, settings_of, store_reader
from console.commands.writing import write
from console.model.configuration import Settings
from console.model.incident import Figure, Incident, markdown
from console.model.metric_views import MetricsQuestion
from console.model.ports import Refused, StoreReads, StoreUnreadable
from console.model.times import parse_moment

POINTS = 48
"""Rows of a table of figures at most."""
LONGEST_MS = 30 * 86_400_000


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("verb", choices=("note", "export"), help="put a note on record, or write the time line")
    parser.add_argument("text", nargs="*", help="the note, as one argument")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="when it began: 03:04, yesterday 03:04, -2h")
    parser.add_argument("--to", dest="end", metavar="TIME", help="when it was over; default: now")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead of printing it")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 2: refused, or the store cannot be read; 3: what is missing was not given."""
    words: list[str] = arguments.text
    arguments.text = words[0] if words else None
    if len(words) > 1 and arguments.verb == "note":
        complain(f"write the note as one argument, in quotes: radar incident note {shlex.quote(' '.join(words))}")
        return UNUSABLE
    if missing := _missing(arguments):
        complain(missing)
        return UNUSABLE
    settings = settings_of(arguments)
    try:
        return _note(arguments, settings) if arguments.verb == "note" else _export(arguments, settings)
    except ValueError as error:
        complain(str(error))
        return UNUSABLE
    except (Refused, StoreUnreadable, OSError) as error:
        complain(str(error))
        return FAILED


def _missing(arguments: argparse.Namespace) -> str | None:
    if arguments.verb == "note" and not arguments.text:
        return "write the note: radar incident note 'restarted the worker by hand'"
    if arguments.verb == "export" and arguments.text is not None:
        return "an export takes no text: radar incident export --from 03:04"
    if arguments.verb == "export" and not arguments.begin:
        return "write when it began: radar incident export --from 03:04"
    return None


def _note(arguments: argparse.Namespace, settings: Settings) -> int:
    with operator(settings) as person:
        written = person.notes.add(arguments.text)
    if arguments.json:
        document({"noted": written})
    else:
        Output(arguments, settings.display).line("noted")
    tell_hidden(arguments.text, written)
    return WELL


def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    from console.store.clock import now_ms

    at_ms = now_ms()
    from_ms = parse_moment(arguments.begin, at_ms)
    to_ms = parse_moment(arguments.end, at_ms) if arguments.end else at_ms
    if not from_ms < to_ms <= from_ms + LONGEST_MS:
        raise ValueError("the time line ends after it begins, within 30 days: look at --from and --to")
    with store_reader(settings) as reads:
        incident = Incident(
            environment=settings.environment.name, from_ms=from_ms, to_ms=to_ms,
            happenings=reads.happenings(from_ms, to_ms), figures=_figures(reads, from_ms, to_ms),
        )  # fmt: skip
    if arguments.json:
        document(documents.incident(incident))
    elif arguments.output is None:
        write(concealed(markdown(incident)))
    else:
        _write_new(arguments.output, concealed(markdown(incident)))
    return WELL


def _write_new(path: Path, text: str) -> None:
    """Never over a file that is there: the first export may hold what a person added."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    except FileExistsError:
        raise Refused(f"{path} is there already, and is not written over: name another file") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {(error.strerror or 'error').lower()}") from None
    with closing(os.fdopen(descriptor, "w", encoding="utf-8")) as file:
        file.write(text)


def _figures(reads: StoreReads, from_ms: int, to_ms: int) -> tuple[Figure, ...]:
    """p95, errors and the database's canary over the time."""
    found: list[Figure] = []
    window_s = max(300, (to_ms - from_ms) // 1000)
    for page in ("application", "database"):
        view = reads.metrics(to_ms, MetricsQuestion(page=page, window_s=window_s, points=POINTS))
        times = tuple(view.start_ms + place * view.step_ms for place in range(view.points))
        for chart in view.charts:
            line = next((each for each in chart.lines if each.label == (chart.target_of or each.label)), None)
            if (
                chart.target is not None
                and chart.heat is None
                and line is not None
                and any(value is not None for value in line.values)
            ):
                found.append(Figure(title=f"{chart.title} {line.label}".strip(), unit=chart.unit, origin=chart.origin,
                                    at_ms=times, values=line.values[: len(times)], target=chart.target))  # fmt: skip
    return tuple(found)
