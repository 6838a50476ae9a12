"""What the collector tells people: alerts become messages in the outbox, which are delivered beside the rounds.

With no channel and no heartbeat configured nothing of it is made or imported.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from console.collector.store_thread import StoreThread
from console.collector.told import operations_of
from console.model.configuration import Settings, Severity
from console.model.judgement import AlertChange, Judgement
from console.model.notifications import STATUSPAGE
from console.model.observation import Json, Origin
from console.model.ports import StoreUnreadable
from console.model.views import Verdict
from console.store.clock import Clock
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace
from console.store.lease import TAKEOVER_MS

if TYPE_CHECKING:  # 20 ms and the HTTP client: only where somebody is to be told
    from console.collector.delivering import Deliverer
    from console.collector.heartbeat import Heartbeat
    from console.model.operations import Operations
    from console.notify.rules import Decision, Quiet
    from console.sources.wire import Wire
    from console.store.records import Records

log = logging.getLogger("radar.collector")

Key = tuple[str, str, int]
TEST_AFTER = timedelta(hours=9)
"""Weekly tests come on Mondays at 09:00 UTC: a channel that fails then is mended by day."""
TESTS_S = 600.0
CLOSE_S = 0.2
"""A console kills a collector that takes 0.4 s to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one round told."""

    verdict: Verdict | None
    firing: tuple[AlertChange, ...]
    offline: bool
    boot_ms: int


def notifications_of(settings: Settings, clock: Clock) -> Notifications | None:
    """What the settings ask for, begun; None: nobody is to be told anything."""
    operations = operations_of(settings)
    channels = operations.slack or operations.pagerduty or operations.statuspage or operations.webhooks
    if not channels and operations.notify.heartbeat is None:
        return None
    made = Notifications(settings, operations, clock)
    made.start()
    return made


class Notifications:
    """One holding of the lease: made when it begins, closed when it ends."""

    def __init__(self, settings: Settings, operations: Operations, clock: Clock, wire: Wire | None = None) -> None:
        from console.collector.delivering import Deliverer
        from console.collector.heartbeat import Heartbeat
        from console.collector.secrets import Redactor
        from console.notify import channels
        from console.sources.http import Clients
        from console.sources.wire import Wire
        from console.store.records import Records

        self._clock = clock
        self._wire = wire or Wire(Clients(settings.environment.certificate_ca))
        self._thread = StoreThread()
        self._records = Records(settings.records_path)
        built = channels.build(operations, self._wire)
        self._redact = redact = Redactor(settings.environment, operations)
        self._trouble = ""
        self._deliverer: Deliverer = Deliverer(self._records, settings.records_path, built, self._thread, clock, redact)
        self._far = _far(settings, {name: channel.address.reveal() for name, channel in built.items()})
        self._planner = Planner(settings, operations, self._records, tuple(built), clock)
        url = operations.notify.heartbeat
        self._heartbeat: Heartbeat | None = Heartbeat(url, operations.notify.heartbeat_s, self._wire) if url else None
        self._judged = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver."""
        runs = [self._deliverer.run, self._plan] + ([self._heartbeat.run] if self._heartbeat else [])
        self._tasks = [asyncio.create_task(run()) for run in runs]

    async def close(self) -> None:
        """End at once; what is in flight is cut off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.close()
        with suppress(TimeoutError):  # a call that waits for another program's lock ends without us
            async with asyncio.timeout(CLOSE_S):
                await self._thread.run(self._records.close)
        self._thread.close()

    def judged(self, judgement: Judgement, firing: Iterable[AlertChange], *, offline: bool, stored: bool) -> None:
        """A round was judged. Costs nothing while no alert fires or ends."""
        if self._heartbeat is not None and stored:
            self._heartbeat.judged()
        self._deliverer.held = self._far if offline else ()
        seen = Seen(verdict=judgement.verdict, firing=tuple(firing), offline=offline, boot_ms=self._clock.boot_ms())
        if self._planner.takes(seen, judgement.alerts):
            self._judged.set()

    @property
    def facts(self) -> Mapping[str, Json]:
        """For the collector's own target: how the dead-man's switch was told; what keeps people from being told."""
        facts: dict[str, Json] = {} if self._heartbeat is None else {"heartbeat": self._heartbeat.words}
        trouble = self._trouble or self._deliverer.trouble
        return facts | {"notifications": trouble} if trouble else facts

    async def _plan(self) -> None:
        """Until cancelled: what is to be told goes into the outbox, off the loop."""
        while True:
            try:
                async with asyncio.timeout(TESTS_S):
                    await self._judged.wait()
            except TimeoutError:
                pass
            self._judged.clear()
            self._note(await self._planned())

    async def _planned(self) -> str:
        """Plan; in words what went wrong. The next round tries again: nothing is lost by it."""
        try:
            if await self._thread.run(self._planner.plan):
                self._deliverer.wake()
        except (StoreError, UnsuitablePlace) as error:
            return f"alerts are not told: {self._redact(str(error))}"
        except Exception as error:  # noqa: BLE001 - a defect of ours must not end the telling for good, nor be silent
            return f"alerts are not told, a defect: {type(error).__name__}"
        return ""

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.error("%s", trouble)
        self._trouble = trouble


def _far(settings: Settings, addresses: Mapping[str, str]) -> frozenset[str]:
    """The channels that an offline bastion cannot reach: all but those on this host or in its own network, unless
    the witness is there too (the demo's)."""
    from console.sources.egress import is_local

    egress = settings.environment.egress
    if egress is None or all(is_local(url) for url in egress.targets):
        return frozenset(addresses)
    return frozenset(name for name, address in addresses.items() if not is_local(address))


class Planner:
    """The telling half: from what is judged to rows of the outbox. `plan` runs on the records' thread."""

    def __init__(
        self, settings: Settings, operations: Operations, records: Records, channels: Sequence[str], clock: Clock
    ) -> None:
        self._settings, self._environment = settings, settings.environment
        self._notify, self._records, self._channels, self._clock = operations.notify, records, channels, clock
        self._page = operations.statuspage
        self._public_open = False
        """Whether the page was told of an incident, and not yet of its end."""
        self._seen: Seen | None = None
        self._ended: dict[Key, AlertChange] = {}
        self._began = False

    def takes(self, seen: Seen, changes: Iterable[AlertChange]) -> bool:
        """Take in a round; whether there may be something to tell."""
        self._seen = seen
        self._ended |= {_key(change): change for change in changes if change.ended_ms is not None}
        return bool(self._channels) and (bool(seen.firing or self._ended) or self._public_open or not self._began)

    def plan(self) -> int:
        """Put into the outbox what is not there yet; how many messages. Raises `StoreError`."""
        made = self._tests()
        seen = self._seen
        if seen is None or self._clock.boot_ms() - seen.boot_ms > TAKEOVER_MS:
            return made  # who stood still for so long may have been succeeded: what it saw then is not so any more
        if not self._began:
            self._ended |= {_key(alert): alert for alert in self._missed(seen)}
        ended = dict(self._ended)
        decision = self._decided(seen, tuple(ended.values()))
        if decision.entries or decision.drop:
            made += self._records.write(lambda connection: self._enter(connection, decision, seen))
        made += self._tell_the_public(seen)
        for key in ended:
            self._ended.pop(key, None)
        self._began = True
        return made

    def _decided(self, seen: Seen, ended: Sequence[AlertChange]) -> Decision:
        from console.notify import rules
        from console.store import outbox

        now_ms, name = self._clock.wall_ms(), self._environment.name
        events = [event for alert in (*seen.firing, *ended) for event in rules.events_of(name, alert)]

        acknowledged = {
            _key(alert): found[-1].by
            for alert in seen.firing
            if (found := self._records.acknowledgements(alert.rule, alert.subject, alert.began_ms))
        }

        def read(connection: sqlite3.Connection) -> rules.Situation:
            told = outbox.told(connection, events)
            return rules.Situation(
                environment=name,
                notify=self._notify,
                channels=self._channels,
                now_ms=now_ms,
                firing=seen.firing,
                ended=ended,
                told={key: rules.Told(row.made_ms, row.state, row.attempts, row.id) for key, row in told.items()},
                acknowledged=acknowledged,
                quiet=self._quiet(connection, seen),
            )

        return rules.decide(self._records.read(read))

    def _enter(self, connection: sqlite3.Connection, decision: Decision, seen: Seen) -> int:
        from console.notify import report
        from console.store import outbox

        now_ms = self._clock.wall_ms()
        outbox.dropped(connection, decision.drop, "over before it could be told", now_ms)
        made = 0
        for entry in decision.entries:
            due_ms = now_ms
            if entry.is_grouped:
                gathers_ms = outbox.group_due_ms(connection, entry.channel, now_ms)
                due_ms = gathers_ms or now_ms + int(self._notify.group_s * 1000)
            payload = report.payload_of(entry, self._environment, seen.verdict, now_ms)
            title = report.title_of(entry)
            made += outbox.enter(connection, entry.event, entry.channel, title, payload, due_ms, now_ms) is not None
        return made

    def _tell_the_public(self, seen: Seen) -> int:
        """What the public page is to say of alerts, where the settings name any."""
        page = self._page
        if page is None or not page.alerts:
            return 0
        from console.notify import public_alerts
        from console.store import outbox

        def read(connection: sqlite3.Connection) -> public_alerts.Public:
            return public_alerts.Public(
                environment=self._environment.name,
                settings=page,
                now_ms=self._clock.wall_ms(),
                firing=seen.firing,
                quiet=self._quiet(connection, seen),
                open=public_alerts.open_of(outbox.newest_public(connection)),
            )

        public = self._records.read(read)
        entry = public_alerts.decide(public)
        self._public_open = public.open is not None or entry is not None
        if entry is None:
            return 0
        return int(outbox.add(self._records, entry.event, STATUSPAGE, entry.title, entry.payload) is not None)

    def _quiet(self, connection: sqlite3.Connection, seen: Seen) -> Quiet:
        """What holds messages back now."""
        from console.notify.rules import Quiet
        from console.store import read_records

        now_ms = self._clock.wall_ms()
        at = read_records.RecordsAt(silences=read_records.silences_at(connection, now_ms, 0), at_ms=now_ms)
        maintenance, settling = _maintenance(connection, self._environment.name)
        return Quiet(
            silenced=lambda rule, subject: at.silence_of(rule, subject) is not None,
            maintenance=maintenance,
            settling=settling,
            offline=seen.offline,
        )

    def _missed(self, seen: Seen) -> list[AlertChange]:
        """Alerts told of whose end a collector before this one did not live to tell."""
        from console.store import outbox
        from console.store.read import StoreReader

        open_before = [_alert(payload) for payload in self._records.read(outbox.alerts_told)]
        firing = {_key(alert) for alert in seen.firing}
        if all(_key(alert) in firing for alert in open_before):
            return []
        settings = self._settings
        reader = StoreReader(
            settings.observed_path, settings.records_path, self._environment, None, self._clock.wall_ms
        )
        try:
            view = reader.alerts(None)
        except StoreUnreadable:
            return []  # nobody knows whether they have ended
        finally:
            reader.close()
        firing |= {(row.rule, row.subject, row.began_ms) for row in view.firing}
        ends = {(row.rule, row.subject, row.began_ms): row.ended_ms for row in view.history}
        now_ms = self._clock.wall_ms()
        return [
            replace(alert, ended_ms=ends.get(_key(alert)) or now_ms)
            for alert in open_before
            if _key(alert) not in firing
        ]

    def _tests(self) -> int:
        """The week's test of each channel, once."""
        if not self._notify.test_weekly:
            return 0
        from console.notify.wording import trial_notice, where_words
        from console.store import outbox

        now_ms = self._clock.wall_ms()
        event = f"{self._environment.name}:test:{week_of(now_ms)}"
        told = self._records.read(lambda connection: outbox.told(connection, [event]))
        missing = [channel for channel in self._channels if (event, channel) not in told]
        where = where_words(self._environment.name, self._environment.label)
        payload = trial_notice(where, "the weekly test")
        for channel in missing:
            outbox.add(self._records, event, channel, "weekly test", payload, at_ms=now_ms)
        return len(missing)


def week_of(at_ms: int) -> str:
    """The week of a moment, `2026-W47`, beginning on Monday at 09:00 UTC."""
    year, week, _ = (datetime.fromtimestamp(at_ms / 1000, UTC) - TEST_AFTER).isocalendar()
    return f"{year}-W{week:02d}"


def _maintenance(connection: sqlite3.Connection, environment: str) -> tuple[bool, tuple[int, int] | None]:
    """Whether it is in maintenance by the ledger; from and until of the one that ended last."""
    rows = connection.execute(
        "SELECT began_ms, ended_ms FROM holding WHERE kind = 'maintenance' AND subject = ? "
        "ORDER BY ended_ms IS NULL, ended_ms DESC",
        (environment,),
    ).fetchall()
    ended = next(((began_ms, ended_ms) for began_ms, ended_ms in rows if ended_ms is not None), None)
    return any(ended_ms is None for _, ended_ms in rows), ended


def _key(alert: AlertChange) -> Key:
    return alert.rule, alert.subject, alert.began_ms


def _alert(payload: Mapping[str, Json]) -> AlertChange:
    """The alert that a message told of."""
    from console.model.configuration import SEVERITIES

    severity: Severity = next((each for each in SEVERITIES if each == payload.get("severity")), "medium")
    began = payload.get("began_ms")
    began_ms = began if isinstance(began, int) else 0
    return AlertChange(
        rule=str(payload.get("rule")),
        subject=str(payload.get("subject")),
        severity=severity,
        text=str(payload.get("text")),
        origin=Origin(str(payload.get("origin"))),
        pending_ms=began_ms,
        began_ms=began_ms,
    )
