"""`python -m tests.lab.assets [DEBIAN]`: build everything that a lab needs, ahead of time."""

from __future__ import annotations

import sys

from tests.lab.assets import build_all

if __name__ == "__main__":
    build_all(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
