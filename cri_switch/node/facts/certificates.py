"""When the control plane's certificates end."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.texts import parse_grep

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
_CLIENT = re.compile(r"client-certificate-data:\s*(\S+)")


@dataclass(frozen=True)
class Certificate:
    """A certificate in a file: until when it is valid, in seconds since the epoch; "" as subject without a name."""

    path: str
    subject: str
    not_after: float


def parse_certificates(text: str) -> tuple[Certificate, ...]:
    """Of `grep -H` over PEM files and kubeconfigs' client-certificate-data; what is no certificate is passed over."""
    return tuple(each for path, content in parse_grep(text).items() for each in _certificates(path, content))


def _certificates(path: str, content: str) -> Iterator[Certificate]:
    pems = _PEM.findall(content)
    for data in _CLIENT.findall(content):
        try:
            pems += _PEM.findall(base64.b64decode(data).decode("ascii", "replace"))
        except binascii.Error:
            continue
    for pem in pems:
        try:
            with warnings.catch_warnings():  # kubeadm up to 1.20 made CAs with the serial number 0
                warnings.simplefilter("ignore", CryptographyDeprecationWarning)
                found = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            continue
        names = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        yield Certificate(path, str(names[0].value) if names else "", found.not_valid_after_utc.timestamp())


def certificates() -> Fact[tuple[Certificate, ...]]:
    """Of kubeadm's PKI and of the kubeconfigs with a certificate that nobody renews by itself; no key is read."""
    words = ["-r", "-s", "-H", "-a", "-E", "--include=*.crt"]
    words += [f"--include={name}.conf" for name in ("admin", "super-admin", "controller-manager", "scheduler")]
    pattern = r"^([A-Za-z0-9+/=]+|-----(BEGIN|END) CERTIFICATE-----)$|client-certificate-data:"
    command = sudo("grep", *words, pattern, "--", "/etc/kubernetes", ok=(0, 1, 2))
    return Fact("certificates", command, lambda result: parse_certificates(result.stdout))
