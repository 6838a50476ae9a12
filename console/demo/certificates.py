"""The demo's own certificate authority and the certificates of its TLS listener, made anew at each start."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME_DAYS = 90
LEFT_DAYS, LEFT_EXPIRING_DAYS = 61, 2


def make(directory: Path) -> None:
    """Write `ca.pem`, `server.pem` (61 of 90 days left) and `expiring.pem` (2 of 90), keys included, mode 0600."""
    directory.mkdir(mode=0o700, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(key)
    _write(directory / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))
    _write(directory / "server.pem", _leaf(authority, key, LEFT_DAYS))
    _write(directory / "expiring.pem", _leaf(authority, key, LEFT_EXPIRING_DAYS))


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Radar Console demo authority")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


def _leaf(authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, left_days: int) -> bytes:
    """The certificate for localhost and 127.0.0.1, its chain and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    # An hour more: a figure of whole days left does not fall below at once.
    end = datetime.now(UTC) + timedelta(days=left_days, hours=1)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "demo.tabletalk.example")]))
        .issuer_name(authority.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=LIFETIME_DAYS)).not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(pem) + authority.public_bytes(pem)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
