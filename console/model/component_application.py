"""The application as its health check and its ping tell it."""

from __future__ import annotations

from console.model.finding import (
    FIGURE_WIDTH,
    Assessment,
    Draft,
    absent,
    nothing_known,
    overdue,
    short_fault,
    unseen,
    well,
    words_of,
)
from console.model.observation import Origin
from console.model.situation import Situation
from console.model.states import State
from console.model.track import REACH_FAULTS, Track
from console.model.words import milliseconds

KEY = "application"
FLAPPING_CONFIRMATIONS = 60
"""A check that fails at random for 71 % of the polls of a healthy server fails this often in a row once in 8e8."""


def judge_application(situation: Situation) -> Assessment:
    """The `application` component."""
    health, ping = situation.track("health"), situation.track("ping")
    tracks = [track for track in (health, ping) if track]
    if not tracks:
        return absent(KEY, KEY, "No url is configured.")
    draft = Draft(key=KEY, name=KEY, origin=Origin.PROBE, tracks=tracks)
    if _unreachable(situation, tracks):
        _find_down(draft, tracks)
        return draft.assessed()
    if health:
        _judge_health(draft, situation, health, ping)
    if ping:
        _judge_ping(draft, situation, ping)
    return draft.assessed()


def _unreachable(situation: Situation, tracks: list[Track]) -> bool:
    """Whether no probe is reached. Two probes that fail once each are two failures in a row, too."""
    if not all(track.error_kind in REACH_FAULTS for track in tracks):
        return False
    if any(situation.excused(track) or situation.awaits_witness(track) for track in tracks):
        return False
    confirmed = sum(track.bad for track in tracks) >= tracks[0].confirmations
    return confirmed or any(track.state is State.UNHEALTHY for track in tracks)


def _find_down(draft: Draft, tracks: list[Track]) -> None:
    track = tracks[0]
    draft.figure = short_fault(track)
    words = words_of(track)
    sentence = f"Neither health check nor ping is reached ({words}), in two polls or more."
    draft.note("down", track, f"does not answer: {words}", sentence, state=State.UNHEALTHY)


def _judge_health(draft: Draft, situation: Situation, health: Track, ping: Track | None) -> None:
    latency = situation.last("health", "latency_ms")
    draft.figure = f"answers in {milliseconds(latency)}" if latency is not None else "no answer yet"
    if nothing_known(draft, situation, health):
        draft.figure = unseen(situation, health) if health.error_kind else "not known"
    elif health.state is State.HEALTHY:
        draft.figure = "no answer yet" if overdue(draft, situation, health) else draft.figure
        well(draft, health, "The health check is good")
    elif health.fails:
        _find_unanswered(draft, situation, health, ping)
    else:
        _find_failed_checks(draft, health)
    _judge_flapping(draft, situation, health)


def _find_unanswered(draft: Draft, situation: Situation, health: Track, ping: Track | None) -> None:
    draft.figure = short_fault(health)
    alone = ping is not None and situation.state(ping) is State.HEALTHY
    words = words_of(health, ", while ping answers" if alone else "")
    text, sentence = f"health check fails: {words}", f"The health check gives no answer: {words}."
    draft.note("health", health, text, sentence, state=health.state)


def _find_failed_checks(draft: Draft, health: Track) -> None:
    failed = health.failed_checks
    if not failed:
        draft.figure = "health " + health.state.value
        draft.note("health", health, f"health check: {words_of(health)}", _sentence(health), state=health.state)
    for name in failed:
        draft.figure = told if len(told := f"{name} check fails") <= FIGURE_WIDTH else f"{name} fails"
        text = f"{name} check fails" + _claim(health)
        draft.note(f"check:{name}", health, text, f"The {name} check fails: {words_of(health)}.", state=health.state)


def _sentence(health: Track) -> str:
    return f"The health check is answered: {words_of(health)}."


def _claim(health: Track) -> str:
    """The top-level status lies at times: that, too, is told."""
    claimed = health.fact("claimed")
    if health.fact("contradiction") is not True or not isinstance(claimed, str):
        return ""
    return f' though the answer says "{claimed}"'


def _judge_flapping(draft: Draft, situation: Situation, health: Track) -> None:
    """The memory check fails at random on healthy servers: only when it never passes is it worth a word."""
    newest = situation.windows.newest("health|memory_check_failing", FLAPPING_CONFIRMATIONS)
    if not newest:
        return
    if len(newest) == FLAPPING_CONFIRMATIONS and all(sample == 1.0 for sample in newest):
        sentence = f"The memory check fails in every answer, {FLAPPING_CONFIRMATIONS} or more in a row."
        draft.note("check:memory", health, "memory check fails steadily", sentence, state=State.DEGRADED)
    else:
        few = f"fewer than {FLAPPING_CONFIRMATIONS} failures in a row count for nothing"
        draft.say(f"The memory check flaps on a healthy server: {few}.")


def _judge_ping(draft: Draft, situation: Situation, ping: Track) -> None:
    if nothing_known(draft, situation, ping):
        return
    if ping.state is State.HEALTHY:
        overdue(draft, situation, ping)
        well(draft, ping, "Ping is good")
        return
    words = words_of(ping)
    draft.note("ping", ping, f"ping fails: {words}", f"Ping fails: {words}.", state=State.DEGRADED)
