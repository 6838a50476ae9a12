"""Inquiries that import what they ask with when somebody asks: no start of the console pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.model.configuration import Settings

if TYPE_CHECKING:
    from console.inquiries.hosted import Hosted
    from console.model.inquiries import LogEnd


class LateInquiries:
    """`ports.Inquiries` by `hosted.Hosted`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hosted: Hosted | None = None

    def build_log(self, deployment_id: str) -> LogEnd:
        """The end of a deployment's build log. Raises `Refused`."""
        return self._asked().build_log(deployment_id)

    def job_log(self, job_id: int) -> LogEnd:
        """The end of a CI job's log. Raises `Refused`."""
        return self._asked().job_log(job_id)

    def cancel(self) -> None:
        """Give up what is being read."""
        if self._hosted is not None:
            self._hosted.cancel()

    def _asked(self) -> Hosted:
        from console.inquiries.hosted import Hosted

        if self._hosted is None:
            self._hosted = Hosted(self._settings)
        return self._hosted
