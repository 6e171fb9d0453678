"""`python -m cri_switch.cli`."""

from __future__ import annotations

from cri_switch.cli.main import main

main()
