"""`radar demo --story`: the sixty-second night, played on the running demo by the keys that a person would press.

It runs in a thread beside the console, presses keys through it, and says in the line below what is to be seen. The
first key of a person ends it and counts as theirs: the console is handed over where it stands.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from console.commands.faults import DemoFaults
from console.commands.parts import reading
from console.model.actions import RunOutcome
from console.model.configuration import Settings
from console.model.ports import Refused, StoreReads, StoreUnreadable
from console.model.states import State

FAULT = "bad-deploy"
LOOK_S = 0.2
TYPING_S = 0.15
"""Between two keys: seen as typing, and slower than what a page drops as typed too early."""
DRAWN_S = 1.0
"""After a page came: longer than the half second in which a plan takes no keys."""
WELL_S, REASON_S, PLAN_S, RUN_S, AFTER_S = 90.0, 60.0, 20.0, 90.0, 120.0
"""How long each of them is waited for."""
READ_S = 4.0
"""How long a caption stands at least."""


class Stage(Protocol):
    """The console, as the story drives it. Each call is safe from another thread."""

    begun: set[str]

    @property
    def screen_stack(self) -> Sequence[Any]:
        """The pages, the one on top last; empty before the first."""

    @property
    def page(self) -> Any:
        """What is shown: its `NAME`, and a plan's `plan`."""

    def press(self, name: str) -> None:
        """As if a person had pressed that key."""

    def caption(self, words: str | None) -> None:
        """Say something in the line below."""


class _Over(Exception):
    """The story ends here; the text says why, to whoever looks."""


class Story:
    """One performance."""

    def __init__(self, settings: Settings, faults: DemoFaults, *, pace: float = 1.0) -> None:
        """`pace`: how much longer captions stand than usual; 0 in tests."""
        self._settings, self._faults, self._pace = settings, faults, pace
        self._stage: Stage | None = None
        self._pressed: deque[str] = deque()
        self._stopped = threading.Event()
        self._caption: str | None = None
        self._looked_s = 0.0
        self.keys = 0
        """How many keys it has pressed from the reason to the verified rollback."""
        self.ended = threading.Event()

    def begin(self, stage: Stage) -> None:
        """Play in a thread of its own."""
        self._stage = stage
        threading.Thread(target=self._played, name="story", daemon=True).start()

    def stop(self) -> None:
        """No more of it; what was begun in the demo goes on."""
        self._stopped.set()

    def heard(self, name: str) -> None:
        """A key came to the console: ours, or a person's, who has the console from then on."""
        if self._pressed and self._pressed[0] == name:
            self._pressed.popleft()
        else:
            self.stop()

    def _played(self) -> None:
        try:
            self._until("the console stands", PLAN_S, self._stands)
            with reading(self._settings) as reads:
                self._night(reads)
        except (_Over, Refused, StoreUnreadable) as error:
            if str(error) and not self._stopped.is_set():
                self._say(f"STORY the story ends here: {error}")
        finally:
            self.ended.set()

    # The night

    def _night(self, reads: StoreReads) -> None:
        self._say("STORY a night on the demo. Any key ends it and hands the console over.")
        self._until("the demo is well", WELL_S, lambda: _state(reads) is State.HEALTHY)
        self._tell("all is well. All of it is measured: database, backend, its users.")
        self._tell("A deployment goes live. Nobody watches, and its code is bad.")
        self._faults.set(FAULT, True)
        self._until("the reason is found", REASON_S, lambda: _named(reads))
        self._tell("WHY: which routes fail, since when, and the commit it began with.", 1.4)
        began_s = time.monotonic()
        self._press("a")
        self._until("the plan stands", PLAN_S, lambda: self._plan is not None)
        self._tell("`a`: the plan. Checks, exact calls, what stays lost, how to undo it.", 1.4)
        self._tell("Nothing is done until the target's short id is typed.")
        self._confirm()
        self._until("it has begun", PLAN_S, lambda: self._page.NAME == "run")
        self._tell("Each step is on record first. 201 is accepted, not done: it is followed.")
        outcome = self._until("the run is at its end", RUN_S, lambda: self._ended(reads))
        taken_s = time.monotonic() - began_s
        how = "done and verified" if outcome is RunOutcome.DONE else f"{outcome}"
        self._tell(f"{how}: {self.keys} keys, {taken_s:.0f} s with all this reading.", 1.2)
        self._press("escape")
        self._press("o")
        self._tell("`o`, the ledger: production is PINNED, pushes do not go live.", 1.6)
        self._press("escape")
        self._end(reads)

    def _end(self, reads: StoreReads) -> None:
        """Back on Health, until what it says is well again; the last words are true of what is seen."""
        if _state(reads) is not State.HEALTHY:
            self._tell("the routes answer. What is still red counts five minutes back.")
        well = self._comes(AFTER_S, lambda: _state(reads) is State.HEALTHY)
        seen = "healthy again" if well else "the last minutes still count"
        self._say(f"STORY that was the night: {seen}. ? keys, q quit")

    def _confirm(self) -> None:
        """Through the fields as a person goes: the reason is suggested, the phrase is typed."""
        plan = self._plan
        if plan is None or plan.refusals:
            raise _Over(plan.refusals[0] if plan is not None else "there is no plan")
        armed = bool(self._page.armed)
        self._press("tab")
        if not armed:
            self._press("enter")
        for letter in plan.phrase:
            self._press(letter)
        self._press("enter")

    def _ended(self, reads: StoreReads) -> RunOutcome | None:
        tokens = {getattr(self._page, "token", ""), *(self._stage.begun if self._stage else ())} - {""}
        for token in tokens:
            run = reads.run(token, None).run
            if run is not None and run.ended_ms is not None:
                return run.outcome
        return None

    # Its means

    def _stands(self) -> bool:
        """Whether there is a page: the app starts beside us."""
        with suppress(LookupError):
            return self._stage is not None and bool(self._stage.screen_stack)
        return False

    @property
    def _page(self) -> Any:
        assert self._stage is not None
        return self._stage.page

    @property
    def _plan(self) -> Any:
        page = self._page
        return page.plan if page.NAME == "plan" else None

    def _press(self, name: str) -> None:
        self._check()
        assert self._stage is not None
        self.keys += 1
        self._pressed.append(name)
        self._stage.press(name)
        time.sleep(TYPING_S / 2)
        self._show()
        time.sleep(TYPING_S / 2)

    def _tell(self, words: str, longer: float = 1.0) -> None:
        """A caption for as long as it takes to read it and to look."""
        self._say(f"STORY {words}")
        ends_s = time.monotonic() + max(READ_S * longer * self._pace, DRAWN_S)
        while time.monotonic() < ends_s:
            self._check()
            time.sleep(LOOK_S)
            self._show()

    def _say(self, words: str) -> None:
        self._check()
        self._caption = words
        self._show()

    def _show(self) -> None:
        """Keys and pages wipe the line: the caption is said again while it holds."""
        if self._stage is not None and not self._stopped.is_set():
            self._stage.caption(self._caption)

    def _until(self, what: str, limit_s: float, holds: Callable[[], Any]) -> Any:
        found = self._comes(limit_s, holds)
        if not found:
            raise _Over(f"not within {limit_s:.0f} s: {what}")
        time.sleep(DRAWN_S)
        return found

    def _comes(self, limit_s: float, holds: Callable[[], Any]) -> Any:
        """What holds within that time, as soon as it does; None: nothing did."""
        ends_s = time.monotonic() + limit_s
        while True:
            self._check()
            with suppress(StoreUnreadable):  # the store is made while the console starts
                if found := holds():
                    return found
            if time.monotonic() > ends_s:
                return None
            time.sleep(LOOK_S)
            self._show()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _Over("")


def _state(reads: StoreReads) -> State | None:
    verdict = reads.health(None, strip_slices=1, events=1).verdict
    return verdict.state if verdict is not None else None


def _named(reads: StoreReads) -> bool:
    """Whether the deployment is named as the cause, and an action is suggested for it."""
    verdict = reads.health(None, strip_slices=1, events=1).verdict
    if verdict is None or verdict.state is State.HEALTHY:
        return False
    return verdict.suggested is not None and any(reason.cause for reason in verdict.reasons)
