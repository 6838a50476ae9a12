"""The burn rates of the error budgets, for the judge: it remembers minutes, they are of hours and days, so the store
is asked for them once a minute."""

from __future__ import annotations

from collections.abc import Mapping

from console.model.configuration import Thresholds
from console.model.metric_views import BurnRate
from console.store.clock import Clock
from console.store.observe import ObservedStore

EVERY_S = 60.0
KEPT_S = 180.0
"""What is older than this is not known any more: the store could not be asked since."""


class Burning:
    """The newest burn rates, and when they were read."""

    def __init__(self, store: ObservedStore, limits: Thresholds, clock: Clock) -> None:
        self._store, self._limits, self._clock = store, limits, clock
        self._read_ms: int | None = None
        self._tried_ms: int | None = None
        self._rates: Mapping[str, tuple[BurnRate, ...]] = {}

    @property
    def is_due(self) -> bool:
        """Whether to read them now."""
        return self._tried_ms is None or self._clock.boot_ms() - self._tried_ms >= EVERY_S * 1000

    def read(self) -> None:
        """Ask the store; on its own thread. Raises `StoreError`."""
        self._tried_ms = self._clock.boot_ms()
        self._rates = self._store.burn_rates(self._limits)
        self._read_ms = self._clock.boot_ms()

    @property
    def rates(self) -> Mapping[str, tuple[BurnRate, ...]]:
        """By the key of the target; nothing while they are not known."""
        old = self._read_ms is None or self._clock.boot_ms() - self._read_ms > KEPT_S * 1000
        return {} if old else self._rates
