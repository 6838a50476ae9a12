"""The Prometheus text format 0.0.4 and OpenMetrics 1.0, read tolerantly, and what grew between two scrapes. Pure.

A line that is none is counted and skipped. Counters restart with the exporting process: the growth is then the new
value, never negative. Where several instances answer in turn, each is compared with itself by its start time; where
they tell none, their counters rise and fall without end, and nothing is said to have grown.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from console.model.bounds import total
from console.model.observation import Buckets

SAMPLES_LIMIT = 50_000
INSTANCES_LIMIT = 16
START_TIME = "process_start_time_seconds"
FALLS_WATCHED = 20
"""Scrapes looked back on for falling counters: five minutes at the usual fifteen seconds."""
FALLS_OF_SEVERAL = 3
"""As many falls among them are no restarts: two instances in turn counted eleven times what there was."""

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, Labels]

_NAME = re.compile(r"[a-zA-Z_:][\w:.]*", re.ASCII)
_PAIR = re.compile(r'\s*(?:([a-zA-Z_][\w.]*|"(?:[^"\\]|\\.)*")\s*=\s*)?"((?:[^"\\]|\\.)*)"\s*(,\s*\}|[,}])', re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CUMULATIVE = ("_total", "_bucket", "_count")


@dataclass(frozen=True, slots=True)
class Exposition:
    """One scrape: the finite and infinite values by name and sorted labels; NaN means no value and is left out."""

    values: Mapping[Key, float]
    types: Mapping[str, str]
    malformed: int
    """Lines that could not be read, or were too many."""

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        """Every series of that name."""
        return ((labels, value) for (found, labels), value in self.values.items() if found == name)

    def gauge(self, name: str) -> float | None:
        """The sum over all label sets, infinite where it is beyond a float; None when not offered."""
        values = [value for _, value in self.named(name) if math.isfinite(value)]
        return total(values) if values else None

    def is_counter(self, name: str) -> bool:
        """Whether the series only grows, by its TYPE line or its name."""
        declared = self.types.get(name) or self.types.get(name.removesuffix("_total"))
        return declared == "counter" or (declared is None and name.endswith("_total"))


def parse(text: str) -> Exposition:
    """Read an exposition. Never raises; linear in the length of `text`."""
    values: dict[Key, float] = {}
    types: dict[str, str] = {}
    malformed = 0
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("#"):
            _note_type(line, types)
        elif line:
            sample = _sample(line) if len(values) < SAMPLES_LIMIT else None
            malformed += sample is None
            if sample is not None and not math.isnan(sample[1]):
                values[sample[0]] = sample[1]
    return Exposition(values, types, malformed)


def _note_type(line: str, types: dict[str, str]) -> None:
    words = line.split(None, 3)
    if len(words) == 4 and words[:2] == ["#", "TYPE"]:
        types[words[2].strip('"')] = words[3].strip().lower()


def _sample(line: str) -> tuple[Key, float] | None:
    """`name{label="value",…} value [timestamp] [# exemplar]`; the name may stand quoted inside the braces."""
    match = _NAME.match(line)
    name, position = (match.group(), match.end()) if match else ("", 0)
    rest = line[position:].lstrip()
    labels: list[tuple[str, str]] = []
    if rest.startswith("{"):
        parsed = _labels(rest)
        if parsed is None:
            return None
        labels, quoted_name, rest = parsed
        name = name or quoted_name
    value = _value(rest)
    return ((name, tuple(sorted(labels))), value) if name and value is not None else None


def _labels(rest: str) -> tuple[list[tuple[str, str]], str, str] | None:
    """The labels in braces, a quoted metric name among them, and what follows the closing brace."""
    labels: list[tuple[str, str]] = []
    name, position = "", 1
    if rest[1:].lstrip().startswith("}"):
        return labels, name, rest.partition("}")[2]
    while match := _PAIR.match(rest, position):
        label, written, end = match.groups()
        if label is None:
            name = _unescape(written)
        else:
            labels.append((_unescape(label.strip('"')), _unescape(written)))
        position = match.end()
        if end.endswith("}"):
            return labels, name, rest[position:]
    return None


def _unescape(written: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match.group(1) == "n" else match.group(1), written)


def _value(rest: str) -> float | None:
    words = rest.partition("#")[0].split()
    if not 1 <= len(words) <= 2 or "_" in words[0]:  # float() would take 1_000
        return None
    try:
        return float(words[0])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Growth:
    """What grew from one scrape to the next of the same process. `before` is empty when it began in between."""

    before: Mapping[Key, float]
    now: Exposition

    def counter(self, name: str, where: Callable[[Labels], bool] = lambda _: True) -> float | None:
        """How much the counter grew over all label sets that `where` accepts; None when it is not offered at all."""
        if not any(True for _ in self.now.named(name)):
            return None
        return total(self._grown((name, labels), value) for labels, value in self.now.named(name) if where(labels))

    def buckets(self, name: str, scale: float = 1.0) -> Buckets | None:
        """The growth of the histogram `name` over all label sets, its bounds multiplied by `scale`; None when none."""
        groups: dict[Labels, dict[float, float]] = defaultdict(dict)
        for labels, value in self.now.named(f"{name}_bucket"):
            bound = _value(dict(labels).get("le", ""))
            if bound is not None and not math.isnan(bound):
                rest = tuple(pair for pair in labels if pair[0] != "le")
                groups[rest][bound] = self._grown((f"{name}_bucket", labels), value)
        for rest, cumulative in groups.items():
            count = self.now.values.get((f"{name}_count", rest))
            if math.inf not in cumulative and count is not None:
                cumulative[math.inf] = self._grown((f"{name}_count", rest), count)
        return combined(list(groups.values()), scale)

    def mean(self, name: str, scale: float = 1.0) -> float | None:
        """The histogram's or summary's mean over what was observed in between, times `scale`; None when nothing was."""
        count, total = self.counter(f"{name}_count"), self.counter(f"{name}_sum")
        return total / count * scale if count and total is not None else None

    def _grown(self, key: Key, value: float) -> float:
        previous = self.before.get(key, 0.0)
        grown = value - previous if value >= previous else value
        return grown if math.isfinite(grown) and grown > 0 else 0.0


def combined(groups: Sequence[Mapping[float, float]], scale: float) -> Buckets | None:
    """Cumulative growths per label set as one histogram, not cumulative. A bucket below its neighbour is empty."""
    counts: dict[float, float] = defaultdict(float)
    for cumulative in groups:
        below = 0.0
        for bound in sorted(cumulative):
            counts[bound * scale] += max(0.0, cumulative[bound] - below)
            below = max(below, cumulative[bound])
    if not total(counts.values()):
        return None
    counts.setdefault(math.inf, 0.0)
    bounds = tuple(sorted(counts))
    return Buckets(bounds, tuple(counts[bound] for bound in bounds))


@dataclass(slots=True)
class Scrapes:
    """Remembers the newest scrape of each instance and says what grew since.

    What grew in a gap of more than `longest_s` is dropped: nobody knows when in it, and all of it at its end would be
    a spike that never was. The scrape after such a gap is a first one.
    """

    longest_s: float = math.inf
    _newest: dict[float | None, Exposition] = field(default_factory=dict)
    _last_s: float = math.inf
    _falls: deque[bool] = field(default_factory=lambda: deque(maxlen=FALLS_WATCHED))

    @property
    def are_mixed(self) -> bool:
        """Whether counters fall so often that several instances must answer, and no start time tells them apart."""
        return sum(self._falls) >= FALLS_OF_SEVERAL

    def since_last(self, now: Exposition, at_s: float = 0.0, wall_s: float | None = None) -> Growth | None:
        """The growth since this instance's last scrape; None for the first one, with which nothing can be compared.

        `at_s`: when it was, on a clock that never goes back and runs on while the machine sleeps. `wall_s`: the same
        in seconds since epoch, which tells how long an instance never seen before has been running.
        """
        if at_s - self._last_s > self.longest_s:
            self._newest.clear()
        self._last_s = at_s
        started = now.gauge(START_TIME)
        before = self._newest.pop(started, None)
        began_since = before is None and self._is_new(started, wall_s)
        while len(self._newest) >= INSTANCES_LIMIT:
            del self._newest[next(iter(self._newest))]  # the one not seen for longest
        self._newest[started] = now
        if before is None:
            return Growth({}, now) if began_since else None
        restarted = _restarted(before, now)
        self._falls.append(restarted and started is None)
        return None if self.are_mixed else Growth({} if restarted else before.values, now)

    def _is_new(self, started: float | None, wall_s: float | None) -> bool:
        """Whether a process began after every one that is known, and no longer ago than a growth may be."""
        known = [start for start in self._newest if start is not None]
        if started is None or not known or started <= max(known):
            return False
        return wall_s is None or wall_s - started <= self.longest_s


def _restarted(before: Exposition, now: Exposition) -> bool:
    """Whether any counter fell: then the process began anew, and every counter with it."""
    return any(value < before.values.get(key, 0.0) for key, value in now.values.items() if key[0].endswith(_CUMULATIVE))
