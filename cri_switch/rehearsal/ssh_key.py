"""A key for a rehearsal's SSH: ed25519, made once."""

from __future__ import annotations

from pathlib import Path

import paramiko


def new_key(path: Path) -> paramiko.PKey:
    """The key in a file (0600), which is written where there is none."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 (slow to import)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    if not path.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(text)
    return paramiko.Ed25519Key.from_private_key_file(str(path))
