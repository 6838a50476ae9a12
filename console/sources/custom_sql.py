"""A figure of one's own from the database: one statement that gives one row with one number.

It runs on a session that only such statements share, in a read-only transaction with time-outs: activity and canary
never wait for it, and a database is never asked two of them at once.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Never

from console.model.bounds import BEYOND, is_value
from console.model.configuration import CustomMetric
from console.model.observation import ErrorKind, Observation, Origin, Outcome, Sample
from console.model.statements import bare
from console.model.states import State
from console.model.text import decode
from console.sources.base import Polled
from console.sources.faults import Fault
from console.sources.postgres_canary import unanswered
from console.sources.postgres_faults import NoConnection
from console.sources.postgres_session import Session

PREFIX = "sql:"
VALUE = "value"
STATEMENT_S = 5.0  # above the session's own statement_timeout of 2 s, which gives the better words
TURN_S = 20.0
TIMEOUT_S = 30.0  # the wait for its turn included
READ = "gives one number"

# The statement as a table: the server then refuses what changes data, and never sends more than two rows, nor a whole
# document in place of a number. `json`, not `jsonb`: columns may have equal names.
_ASKED = """\
with radar_figure as materialized (select * from (
{statement}
) as figure limit 2)
select json_build_object('rows', (select count(*) from radar_figure),
  'row', (select left(row_to_json(radar_figure)::text, 2000) from radar_figure limit 1))"""


class Turns:
    """Whose statement may run: one at a time, so that figures never load the database beside each other."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(TURN_S):
                await self._lock.acquire()
        except TimeoutError:
            words = "waited in vain for its turn: other figures' statements take too long, lengthen their interval_s"
            raise Fault(ErrorKind.LIMIT, words, outcome=Outcome.HELD, state=State.UNKNOWN) from None

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class CustomSqlSource(Polled):
    """`sql:NAME`."""

    def __init__(self, metric: CustomMetric, session: Session, turns: Turns) -> None:
        assert metric.sql is not None
        super().__init__(f"{PREFIX}{metric.name}", interval_s=metric.interval_s, timeout_s=TIMEOUT_S)
        self._session = session
        self._turns = turns
        self._statement = _ASKED.format(statement=bare(metric.sql))

    async def observe(self) -> Observation:
        """Ask once. A figure that fails says nothing of the database's health."""
        try:
            async with self._turns:
                answer = await self._session.ask(self._statement, budget_s=STATEMENT_S, foreign=True)
            value = _value(answer.raw)
        except Fault as fault:
            return self._unanswered(fault)
        if value is None:
            words = "gives NULL: no value; coalesce(…, 0) makes it one where nothing means none"
            return self._answered(State.UNKNOWN, words, {})
        return self._answered(State.HEALTHY, READ, {VALUE: value})

    async def close(self) -> None:
        """Release the connection; the figures share it, closing twice is harmless."""
        await self._session.close()

    def _answered(self, state: State, words: str, samples: dict[str, Sample]) -> Observation:
        return Observation(
            target=self._target,
            outcome=Outcome.ANSWERED,
            state=state,
            words=words,
            origin=Origin.SQL,
            samples=samples,
        )

    def _unanswered(self, fault: Fault) -> Observation:
        told = Fault(fault.kind, _words(fault), outcome=fault.outcome, state=State.UNKNOWN)
        return unanswered(self._target, told)


def _words(fault: Fault) -> str:
    """The fault's words, with the fix where it is the statement's author who has it."""
    if isinstance(fault, NoConnection):
        return f"the database is not reached: {fault.words}"
    if fault.kind is ErrorKind.TIMEOUT and fault.state is not State.UNKNOWN:  # which a lock of somebody else's is
        return f"{fault.words}; it may take 2 s: give it an index, or a shorter stretch of time"
    if fault.kind is ErrorKind.CREDENTIALS:
        return "our role may not read what the statement names: grant select on it to the role"
    return fault.words


def _value(raw: bytes) -> float | None:
    """The number; None for NULL. Raises `Fault` with the fix where the statement gives anything else."""
    answer = json.loads(decode(raw))
    if answer["rows"] == 0:
        _misshapen("gives no row; an aggregate such as count(*) or max(…) always gives one")
    if answer["rows"] > 1:
        _misshapen("gives several rows; aggregate them, or add order by … limit 1")
    try:
        # Columns as they stand: some may have equal names. Numbers of thousands of digits are no int to Python.
        columns = json.loads(answer["row"], object_pairs_hook=list, parse_int=float)
    except ValueError:
        _misshapen("gives a long text or a document; select the number alone")
    if len(columns) != 1:
        _misshapen(f"gives {len(columns)} columns; select the number alone")
    return _number(columns[0][1])


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        _misshapen("gives true or false; write …::int to have 1 or 0")
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, str) and re.fullmatch(r"-?(NaN|Infinity)", value):
        _misshapen(f"gives {value}, which is no value; nullif(…, 0) keeps a divisor from being 0")
    if isinstance(value, str):
        _misshapen("gives a text; write …::float8, or extract(epoch from …) of a time")  # unquoted: it may be a name
    _misshapen("gives an object or a list; select the number alone")


def _finite(value: float) -> float:
    return value if is_value(value) else _misshapen(f"gives {BEYOND}")


def _misshapen(words: str) -> Never:
    raise Fault(ErrorKind.BODY, words, state=State.UNKNOWN)
