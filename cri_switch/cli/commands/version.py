"""`cri-switch version`."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of


def version() -> None:
    """Print the version."""
    sys.stdout.write(version_of("cri-switch") + "\n")
