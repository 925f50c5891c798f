"""TLS for `wire`: any certificate is accepted where no secret is sent, and its facts are recorded."""

from __future__ import annotations

import socket
import ssl
import sys
import warnings
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from plainview.errors import ProtocolError, WithheldError
from plainview.report.model import Tls

if TYPE_CHECKING:
    from cryptography import x509

    from plainview.wire.limits import WireLimits


def start(sock: socket.socket, host: str, limits: WireLimits, *, verify: bool) -> tuple[ssl.SSLSocket, Tls]:
    """Shake hands on a connected socket. Raises ProtocolError, WithheldError; no text of theirs is the server's."""
    context = _verifying() if verify else _accepting()
    sock.settimeout(limits.first_byte)
    try:
        secured = context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise WithheldError(
            f"the certificate was not accepted (code {error.verify_code}), so no credential was sent",
            hint="put its issuer into the system's trust store, point SSL_CERT_FILE at it, or permit unverified_tls in "
            "the scope file",
        ) from None
    except (OSError, ValueError) as error:
        sock.close()
        raise ProtocolError(f"tls_error: the TLS handshake failed ({type(error).__name__})") from None
    certificate = secured.getpeercert(binary_form=True)
    return secured, Tls(
        offered=True,
        used=True,
        version=secured.version(),
        certificate=facts(certificate, host, verified=verify),
    )


def _verifying() -> ssl.SSLContext:
    """Return a context that wants a certificate which the system trusts and which is valid for the name.

    As `ssl.create_default_context`, which would write the keys of the connection where SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    return context


def _accepting() -> ssl.SSLContext:
    """Return a context that speaks with anything: old versions and bad certificates are findings."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def facts(der: bytes | None, host: str, *, verified: bool) -> tuple[str, ...]:
    """Return what is wrong with a certificate, as fixed phrases; `verified` when the system trusts it."""
    if der is None:
        return ("no certificate",)
    try:
        from cryptography import x509
    except ImportError:
        return ("trusted",) if verified else ("not examined: install cryptography",)
    try:
        with warnings.catch_warnings():  # cryptography warns about odd certificates; here they are the subject
            warnings.simplefilter("ignore")
            return (
                tuple(_facts(x509.load_der_x509_certificate(der), host))
                or ("trusted",) * verified
                or ("valid dates and name",)
            )
    except ValueError:
        return ("not a valid certificate",)


def _facts(certificate: x509.Certificate, host: str) -> list[str]:
    now = datetime.now(UTC)
    found = []
    if certificate.issuer == certificate.subject:
        found.append("self-signed")
    if certificate.not_valid_after_utc < now:
        found.append("expired")
    if certificate.not_valid_before_utc > now:
        found.append("not yet valid")
    names, addresses = _names(certificate)
    if not _named(host, names, addresses):
        found.append("name mismatch")
    # The certificate that OpenSearch publishes for trying out: its admin key is public too.
    if "node-0.example.com" in names:
        found.append("published demo certificate")
    return found


def _names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    names = [name.lower() for name in value.get_values_for_type(x509.DNSName)]
    return names, [str(ip) for ip in value.get_values_for_type(x509.IPAddress)]


def _named(host: str, names: list[str], addresses: list[str]) -> bool:
    try:
        return str(ip_address(host)) in addresses
    except ValueError:
        parent = host.partition(".")[2]
        return host in names or bool(parent and f"*.{parent}" in names)
