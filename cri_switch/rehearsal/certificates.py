"""Certificates as kubeadm makes them: a year, or ten for a CA."""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_YEAR = timedelta(days=365)


@functools.cache
def certificate(subject: str, day: int) -> str:
    """PEM, valid from that day since the epoch; signed by itself: nobody verifies it here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    begin = datetime.fromtimestamp(day * 86400, UTC)
    end = begin + (10 if subject.endswith("ca") else 1) * _YEAR
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def kubeconfig(subject: str, day: int) -> str:
    """One with a client certificate in it."""
    data = base64.b64encode(certificate(subject, day).encode()).decode()
    return f"apiVersion: v1\nkind: Config\nusers:\n- name: {subject}\n  user:\n    client-certificate-data: {data}\n"
