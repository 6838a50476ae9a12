"""Our public status page as maintenance uses it: what it says of a run, and the patience that the page asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from console.actions.base import Context
from console.actions.wire import LIMITS, Rejected
from console.model.configuration import Secret
from console.model.operations import Statuspage
from console.model.times import iso
from console.model.wire import BUSY, Method, NotSent, Post, Response, Unanswered
from console.notify.public_page import (
    COMPLETED,
    IDENTIFIED,
    NAME,
    PACE_S,
    REALTIME,
    SCHEDULED,
    Entry,
    PublicPage,
    Refusal,
    Update,
    ending,
)
from console.sources.wire import Wire

TRIES = 3
LONGEST_WAIT_S = 15.0
UNDER_MAINTENANCE, OPERATIONAL = "under_maintenance", "operational"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the page is to say. `key` is the run of ours that it belongs to."""

    key: str
    environment: str
    name: str
    body: str
    from_ms: int
    until_ms: int | None
    """None: no end is planned. Of what is scheduled there must be one."""
    mail: bool


class StatusPage:
    """One page under one key. All raise `Rejected`, where nothing was changed, or `Unanswered`."""

    def __init__(self, settings: Statuspage, context: Context) -> None:
        self._components = settings.components
        post = _Patient(Wire(context.clients, LIMITS), context)
        self._page = PublicPage(settings.key, settings.page, settings.api, post)

    async def components(self) -> Mapping[str, str]:
        """Id to name of every component."""
        with _translated():
            return await self._page.components()

    async def schedule(self, told: Told) -> Entry:
        """Announce it, unless that was done already."""
        return await self._said(self._update(told, SCHEDULED, None))

    async def begin(self, told: Told) -> Entry:
        """It is in progress, its components under maintenance: the announced one where there is one, else a new one.
        What has no planned end is an incident that is looked after: a scheduled one the page takes with an end only."""
        status = IDENTIFIED if told.until_ms is None else "in_progress"
        return await self._said(self._update(told, status, UNDER_MAINTENANCE))

    async def amend(self, told: Told, *, anew: bool) -> Entry:
        """The one that is under way, with another text and end when told `anew`; where there is none it begins."""
        with _translated():
            found = next(iter(await self._under_way(told.environment)), None)
            if found is not None and not anew:
                return found
            if found is not None:
                update = self._update(told, found.status, UNDER_MAINTENANCE)
                until = None if found.status in REALTIME else update.scheduled_until
                return await self._page.change(found, replace(update, key=found.key, scheduled_until=until))
        return await self.begin(told)

    async def end(self, told: Told) -> tuple[Entry, ...]:
        """Complete all of ours in that environment that are in progress; the components operational again, which the
        page does not do by itself. What is announced for later stays."""
        update = self._update(told, COMPLETED, OPERATIONAL)
        with _translated():
            open_ones = await self._under_way(told.environment)
            ended = [await self._page.change(each, ending(update, each)) for each in open_ones]
            for component in self._components if not open_ones else ():
                await self._page.set_component(component, OPERATIONAL)
        return tuple(ended)

    async def _under_way(self, environment: str) -> list[Entry]:
        """Ours that are neither over nor still to come, newest first; none that tells of an alert."""
        return [each for each in await self._page.entries(environment) if each.is_maintenance]

    async def withdraw(self, told: Told) -> Entry | None:
        """Complete the one that was announced under that key; None when there is none that is open."""
        with _translated():
            said = await self._page.say(self._update(told, COMPLETED, OPERATIONAL))
        return said.entry if said.changed else None

    async def _said(self, update: Update) -> Entry:
        try:
            with _translated():
                said = await self._page.say(update)
        except Unanswered as error:
            return await self._after_all(update, error)
        if said.entry is None:
            raise AssertionError("only what is over is not opened")
        return said.entry

    async def _after_all(self, update: Update, error: Unanswered) -> Entry:
        """The one that was told though no answer came. Raises `Unanswered` when it is not there, or cannot be read."""
        try:
            with _translated():
                found = await self._page.find(update)
        except (Rejected, Unanswered) as again:
            raise Unanswered(f"{error}, and cannot be read: {again}; it is not told again blindly") from None
        if found is None or found.status != update.status:
            raise Unanswered(f"{error}, and nothing of it stands there so far; look at the page")
        return found

    def _update(self, told: Told, status: str, components: str | None) -> Update:
        return Update(
            key=told.key,
            environment=told.environment,
            name=told.name,
            status=status,
            body=told.body,
            components=dict.fromkeys(self._components, components),
            impact="maintenance",
            scheduled_for=iso(told.from_ms) if told.until_ms is not None else None,
            scheduled_until=iso(told.until_ms) if told.until_ms is not None else None,
            mail=told.mail,
        )


class _Patient:
    """A `Post` at the pace of the page, which waits where the page asks for patience."""

    def __init__(self, post: Post, context: Context) -> None:
        self._post, self._context = post, context
        self._asked = False

    async def __call__(
        self,
        url: Secret,
        headers: Mapping[str, str],
        body: bytes,
        *,
        method: Method = "POST",
        credentials: Mapping[str, Secret] | None = None,
    ) -> Response:
        for _ in range(TRIES - 1):
            await self._paced()
            response = await self._post(url, headers, body, method=method, credentials=credentials)
            if response.status not in BUSY:
                return response
            await self._patience(response.retry_after_s)
        await self._paced()
        return await self._post(url, headers, body, method=method, credentials=credentials)

    async def _paced(self) -> None:
        if self._asked:
            await self._context.wait(PACE_S)
        self._asked = True

    async def _patience(self, wait_s: float | None) -> None:
        told_s = min(PACE_S * 2 if wait_s is None else wait_s, LONGEST_WAIT_S)
        self._context.tell(f"{NAME} asks for patience: again in {told_s:.0f} s")
        await self._context.wait(told_s)


@contextmanager
def _translated() -> Iterator[None]:
    """What the page's errors mean to an action."""
    try:
        yield
    except NotSent as error:
        raise Rejected(f"{NAME}: {error}") from None
    except Unanswered as error:
        raise Unanswered(f"{NAME}: {error}") from None
    except Refusal as refusal:
        raise (Rejected if refusal.certain else Unanswered)(str(refusal)) from None
