"""The certificate that a server shows: whom it names, how long it lasts, and whether it can be trusted.

Lifetimes shrink (90 days, soon 47, some six), so the limits are fractions of the lifetime and not fixed days.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from console.model.configuration import Environment, Thresholds
from console.model.observation import ErrorKind, Json, Observation, Origin, Outcome, Source
from console.model.states import State
from console.model.text import clean
from console.sources.base import CANCEL_MARGIN_S, Polled
from console.sources.faults import Fault, connect_fault
from console.sources.trust import trusted

if TYPE_CHECKING:
    from cryptography import x509

TOTAL_S = 10.0
DAY_MS = 86_400_000
NAMES_LIMIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the server showed. `error`: why it is not trusted."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before_ms: int
    not_after_ms: int
    protocol: str | None
    error: str | None

    @property
    def lifetime_days(self) -> float:
        """From its first to its last moment."""
        return max(0, self.not_after_ms - self.not_before_ms) / DAY_MS

    def left_days(self, now_ms: int) -> float:
        """Negative once expired."""
        return (self.not_after_ms - now_ms) / DAY_MS


class CertificateSource(Polled):
    """One `host:port` over TLS: a trusting handshake first, and when that fails one that only reads the dates."""

    def __init__(
        self, host: str, port: int, thresholds: Thresholds, *, interval_s: float, authority: str | None = None
    ) -> None:
        super().__init__(
            f"certificate:{clean(host, 120)}:{port}", interval_s=interval_s, timeout_s=TOTAL_S + CANCEL_MARGIN_S
        )
        self._host, self._port = host, port
        self._thresholds = thresholds
        self._authority = authority

    async def observe(self) -> Observation:
        """One look at the certificate. That the server is not reached says nothing of its certificate."""
        try:
            async with asyncio.timeout(TOTAL_S):
                certificate = await self._seen()
        except TimeoutError:
            return self._failed(Fault(ErrorKind.TIMEOUT, f"no TLS handshake within {TOTAL_S:g} s"))
        except Fault as fault:
            return self._failed(fault)
        return self._judged(certificate, time.time_ns() // 1_000_000)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _seen(self) -> Certificate:
        try:
            data, protocol = await self._handshake(trusted(self._authority))
            return read(data, protocol)
        except ssl.SSLCertVerificationError as error:
            words = clean(error.verify_message or "not trusted", 160)
        data, protocol = await self._handshake(_unverifying())
        return read(data, protocol, error=words)

    async def _handshake(self, context: ssl.SSLContext) -> tuple[bytes, str | None]:
        """The server's certificate in DER and the protocol. Raises `SSLCertVerificationError`, or `Fault`."""
        try:
            _, writer = await asyncio.open_connection(self._host, self._port, ssl=context, server_hostname=self._host)
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be written in ASCII
            raise connect_fault(error) from None
        try:
            found = writer.get_extra_info("ssl_object")
            return found.getpeercert(binary_form=True) or b"", found.version()
        finally:
            writer.transport.abort()  # an orderly end would wait for the peer's

    def _judged(self, certificate: Certificate, now_ms: int) -> Observation:
        state, words = judge(certificate, self._thresholds, now_ms)
        return Observation(
            target=self.target,
            outcome=Outcome.ANSWERED,
            state=state,
            words=words,
            origin=Origin.TLS,
            facts=_facts(certificate),
            samples={"days_left": certificate.left_days(now_ms), "lifetime_days": certificate.lifetime_days},
        )

    def _failed(self, fault: Fault) -> Observation:
        return Observation(
            target=self.target,
            outcome=Outcome.FAILED,
            state=State.UNKNOWN,
            words=clean(fault.words),
            origin=Origin.TLS,
            error_kind=fault.kind,
        )


def build(environment: Environment) -> list[Source]:
    """The url's own certificate, unless it is plain http, and every extra one."""
    interval_s, authority = environment.intervals.certificate_s, environment.certificate_ca
    places = [place for place in (_own(environment.url), *map(_place, environment.certificates)) if place]
    return [
        CertificateSource(host, port, environment.thresholds, interval_s=interval_s, authority=authority)
        for host, port in dict.fromkeys(places)
    ]


def _own(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url)
    return (parts.hostname, parts.port or 443) if parts.scheme == "https" and parts.hostname else None


def _place(written: str) -> tuple[str, int] | None:
    """`host:port` or `[::1]:port`; the settings refuse anything else."""
    host, _, port = written.rpartition(":")
    return (host.strip("[]").lower(), int(port)) if host and port.isascii() and port.isdigit() else None


def _unverifying() -> ssl.SSLContext:
    """For reading the dates of a certificate that is not trusted. Nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read(data: bytes, protocol: str | None, *, error: str | None = None) -> Certificate:
    """A certificate in DER. Raises `Fault` when it is none."""
    from cryptography import x509  # 30 ms and needed once an hour

    try:
        found = x509.load_der_x509_certificate(data)
        return Certificate(
            subject=clean(found.subject.rfc4514_string()),
            issuer=clean(found.issuer.rfc4514_string()),
            names=_names(found),
            not_before_ms=round(found.not_valid_before_utc.timestamp() * 1000),
            not_after_ms=round(found.not_valid_after_utc.timestamp() * 1000),
            protocol=protocol,
            error=error,
        )
    except (ValueError, x509.InvalidVersion):
        raise Fault(ErrorKind.TLS, "the server's certificate cannot be read") from None


def _names(found: x509.Certificate) -> tuple[str, ...]:
    """The host names and addresses that it is valid for; none when they cannot be read."""
    from cryptography import x509

    try:
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return ()
    return tuple(clean(str(name.value), 120) for name in list(listed)[:NAMES_LIMIT])


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def judge(certificate: Certificate, thresholds: Thresholds, now_ms: int) -> tuple[State, str]:
    """The state and one line about it, without the days left, which change."""
    last = f"valid until {_day(certificate.not_after_ms)}"
    left, lifetime = certificate.left_days(now_ms), certificate.lifetime_days
    # A certificate that lives six days would always be below a limit of seven.
    few_days = min(thresholds.certificate_alert_days, lifetime * thresholds.certificate_warn_fraction)
    if left <= 0:
        return State.UNHEALTHY, f"expired on {_day(certificate.not_after_ms)}"
    if now_ms < certificate.not_before_ms:
        return State.UNHEALTHY, f"not valid before {_day(certificate.not_before_ms)}"
    if certificate.error is not None:
        return State.UNHEALTHY, f"not trusted: {certificate.error}; {last}"
    if left < lifetime * thresholds.certificate_alert_fraction or left < few_days:
        return State.UNHEALTHY, f"about to end: {last}"
    if left < lifetime * thresholds.certificate_warn_fraction:
        return State.DEGRADED, f"due for renewal: {last}"
    return State.HEALTHY, f"trusted, {last}"


def _facts(certificate: Certificate) -> Mapping[str, Json]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "not_before_ms": certificate.not_before_ms,
        "not_after_ms": certificate.not_after_ms,
        "verified": certificate.error is None,
        "error": certificate.error,
        "protocol": certificate.protocol,
    }
