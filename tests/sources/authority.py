"""A certificate authority of the test's own, and servers' certificates as bad as a test needs them."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def server(self, directory: Path) -> ssl.SSLContext:
        """A server's context with this certificate."""
        path = directory / f"{self.certificate.serial_number}.pem"
        pem = serialization.Encoding.PEM
        private = self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(private + self.certificate.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class Authority:
    """Signs certificates; `path` is the file that makes them trusted."""

    def __init__(self, directory: Path) -> None:
        self._issued = issue("Test authority", None, life=timedelta(days=400), is_authority=True)
        self.path = str(directory / "authority.pem")
        Path(self.path).write_bytes(self._issued.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *,
        left: timedelta = timedelta(days=61, hours=1),
        life: timedelta = timedelta(days=90),
        address: str = "127.0.0.1",
        common_name: str = "app.example.com",
    ) -> Issued:
        """A certificate for `address` and localhost that ends in `left` and was made `life` before that."""
        return issue(common_name, self._issued, left=left, life=life, address=address)


def self_signed() -> Issued:
    """A certificate that only itself vouches for."""
    return issue("self-signed.example.com", None)


def issue(
    common_name: str,
    by: Issued | None,
    *,
    left: timedelta = timedelta(days=60),
    life: timedelta = timedelta(days=90),
    address: str = "127.0.0.1",
    is_authority: bool = False,
) -> Issued:
    """A certificate signed `by` another, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = by.key if by else key
    end = datetime.now(UTC) + left
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - life)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    builder = (
        builder.add_extension(usage, critical=True)
        if is_authority
        else builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return Issued(builder.sign(signer, hashes.SHA256()), key)
