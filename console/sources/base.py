"""What every source that asks by HTTP shares: faults become observations, and a rate limit is obeyed."""

from __future__ import annotations

import time
from collections.abc import Mapping

from console.model import payload
from console.model.health import mitigated
from console.model.observation import ErrorKind, Json, Observation, Origin, Outcome, Sample
from console.model.states import State
from console.model.text import clean, clean_block, decode, redact
from console.sources.faults import Fault
from console.sources.http import Answer, Client, Limits, Request, fetch, retry_after_s

CANCEL_MARGIN_S = 2.0  # the collector's own limit lies above ours, so that ours gives the words
RAW_LIMIT = 4000  # characters of the raw answer kept for people to read
HOLD_LIMIT_S = 300.0  # a Retry-After of days would blind us; five minutes are polite enough
HOLD_DEFAULT_S = 30.0  # 429 without Retry-After
_SHOWN_HEADERS = ("content-type", "age", "cache-control", "server", "x-vercel-cache", "x-vercel-error", "x-vercel-id")

# Faults that say that the target could not be reached or did not complete; the others say nothing of its state.
_REACH = frozenset(
    {ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.TIMEOUT, ErrorKind.TLS, ErrorKind.CLOSED, ErrorKind.REDIRECT}
)


class Polled:
    """What every source is polled by: its target's key, how often, and how long the collector waits for one poll."""

    def __init__(self, target: str, *, interval_s: float, timeout_s: float) -> None:
        self._target = target
        self._interval_s = interval_s
        self._timeout_s = timeout_s

    @property
    def target(self) -> str:
        """The target's key."""
        return self._target

    @property
    def interval_s(self) -> float:
        """Seconds between polls while all is well."""
        return self._interval_s

    @property
    def timeout_s(self) -> float:
        """Seconds after which the collector cancels a poll."""
        return self._timeout_s


class HttpSource(Polled):
    """One target asked by HTTP. Subclasses write `ask`, which returns an observation or raises `Fault`."""

    origin = Origin.PROBE
    unreachable = State.UNHEALTHY
    """What it says of the target that it cannot be reached: UNKNOWN where only our view of it is lost."""

    def __init__(self, target: str, client: Client, *, interval_s: float, limits: Limits | None = None) -> None:
        super().__init__(target, interval_s=interval_s, timeout_s=(limits or Limits()).total_s + CANCEL_MARGIN_S)
        self._client = client
        self._held_until = 0.0  # on the monotonic clock

    async def observe(self) -> Observation:
        """Ask once, unless the target asked to be left alone for a while."""
        if time.monotonic() < self._held_until:
            return self._unanswered(
                Fault(
                    ErrorKind.RATE_LIMITED, "not asked: rate limited before", outcome=Outcome.HELD, state=State.UNKNOWN
                )
            )
        try:
            return await self.ask()
        except Fault as fault:
            return self._unanswered(fault)

    async def ask(self) -> Observation:
        """One poll. Raises `Fault` where there is nothing to judge."""
        raise NotImplementedError

    async def close(self) -> None:
        """Release the connections; several sources may share them, closing twice is harmless."""
        await self._client.close()

    async def get(self, request: Request) -> Answer:
        """The answer to `request`. Raises `Fault`, for a firewall's answer and for 429 too."""
        answer = await fetch(self._client, request)
        _refuse_firewall(answer)
        if answer.status != 429:
            return answer
        raise Fault(
            ErrorKind.RATE_LIMITED,
            "429: rate limited",
            outcome=Outcome.BLOCKED,
            state=State.UNKNOWN,
            http_status=429,
            retry_after_s=retry_after_s(answer.headers),
        )

    def answered(
        self,
        state: State,
        words: str,
        *,
        facts: Mapping[str, Json],
        samples: Mapping[str, Sample] | None = None,
        volatile: Mapping[str, Json] | None = None,
    ) -> Observation:
        """An observation of what the target itself said."""
        return Observation(
            target=self._target,
            outcome=Outcome.ANSWERED,
            state=state,
            words=clean(words),
            origin=self.origin,
            facts=facts,
            samples=samples or {},
            volatile=volatile or {},
        )

    def _unanswered(self, fault: Fault) -> Observation:
        if fault.kind is ErrorKind.RATE_LIMITED and fault.outcome is Outcome.BLOCKED:
            wait_s = HOLD_DEFAULT_S if fault.retry_after_s is None else fault.retry_after_s
            self._held_until = time.monotonic() + min(wait_s, HOLD_LIMIT_S)
        state = self._state_of(fault)
        return Observation(
            target=self._target,
            outcome=fault.outcome,
            state=state,
            words=clean(fault.words),
            origin=self.origin,
            error_kind=fault.kind,
            facts={"http_status": fault.http_status} if fault.http_status is not None else {},
            samples=ok_sample(state) if fault.outcome is Outcome.FAILED else {},
        )

    def _state_of(self, fault: Fault) -> State:
        if fault.state is not None:
            return fault.state
        return self.unreachable if fault.outcome is Outcome.FAILED and fault.kind in _REACH else State.UNKNOWN


def ok_sample(state: State) -> dict[str, Sample]:
    """`ok` 1.0 or 0.0 of availability; nothing where it is unknown, which is never 0."""
    if state in (State.HEALTHY, State.DEGRADED):
        return {"ok": 1.0}
    return {"ok": 0.0} if state is State.UNHEALTHY else {}


def raw_answer(answer: Answer) -> dict[str, Json]:
    """The answer as people may read it: status, telling headers and the start of the body, without known secrets."""
    headers: dict[str, Json] = {name: clean(answer.headers[name]) for name in _SHOWN_HEADERS if name in answer.headers}
    body = redact(clean_block(decode(answer.body[: RAW_LIMIT * 4]), RAW_LIMIT))
    return {"url": answer.url, "http_status": answer.status, "headers": headers, "body": body}


def api_value(answer: Answer, name: str) -> Json:
    """The JSON of a vendor's API. Raises `Fault` with `name` and the API's own message when it refused or failed."""
    if 200 <= answer.status < 300:
        try:
            return payload.decode_json(answer.body)
        except payload.Unreadable as error:
            raise Fault(ErrorKind.BODY, f"{name}: {error}", http_status=answer.status) from None
    raise _api_fault(answer, name)


def _refuse_firewall(answer: Answer) -> None:
    blocked = mitigated(answer.status, answer.headers)
    if blocked is not None:
        raise Fault(ErrorKind.CHALLENGED, blocked.words, outcome=Outcome.BLOCKED, http_status=answer.status)


def _api_fault(answer: Answer, name: str) -> Fault:
    status, said = answer.status, _message(answer)
    words = f"{name} answers {status}" + (f": {said}" if said else "")
    if status in (401, 402, 403):
        return Fault(ErrorKind.CREDENTIALS, words, outcome=Outcome.FORBIDDEN, http_status=status)
    if 300 <= status < 400:  # never followed: the token is for this host only
        return Fault(ErrorKind.REDIRECT, f"{words} to {answer.location}", http_status=status, state=State.UNKNOWN)
    return Fault(ErrorKind.STATUS, words, http_status=status)


def _message(answer: Answer) -> str | None:
    """The message in any of the envelopes `{error: {message}}`, `{err: …}`, `{message}`, `{error: text or list}`."""
    try:
        value = payload.decode_json(answer.body)
    except payload.Unreadable:
        return None
    for path in (("error", "message"), ("err", "message"), ("message",), ("msg",), ("error",)):
        found = payload.at(value, *path)
        said = payload.text(found[0]) if isinstance(found, list) and found else payload.text(found)
        if said:
            return redact(said)
    return None
