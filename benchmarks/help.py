"""`cri-switch --help` as it is beside an eager import of every command: `python benchmarks/help.py`.

Wall and CPU seconds are the least of several runs, because other work on the machine only adds; ends with 1 where the
claim (half a second) does not hold.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS, RUNS = 0.5, 7
LAZY = "from cri_switch.cli.main import main; main(['--help'])"
EAGER = (
    "import importlib; from cri_switch.cli.manual import MANUAL;"
    " [importlib.import_module(f'cri_switch.cli.commands.{name}') for name in MANUAL];" + LAZY
)


def main() -> int:
    """Both, one after the other, several times."""
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    sys.stdout.write(f"{'case':<10} {'seconds':>8} {'CPU s':>8} {'peak MiB':>9}\n")
    walls = {}
    for name, code in (("as it is", LAZY), ("eager", EAGER)):
        figures = [measure(code) for _ in range(RUNS)]
        walls[name] = min(wall for wall, _cpu, _peak in figures)
        cpu, peak = min(cpu for _wall, cpu, _peak in figures), max(peak for _wall, _cpu, peak in figures)
        sys.stdout.write(f"{name:<10} {walls[name]:>8.2f} {cpu:>8.2f} {peak:>9.0f}\n")
    return int(walls["as it is"] > SECONDS)


def measure(code: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one run; its own child tells of itself."""
    told = "import atexit, resource, sys; atexit.register(lambda: (lambda u: sys.stderr.write("
    told += "f'{u.ru_utime + u.ru_stime} {u.ru_maxrss}'))(resource.getrusage(resource.RUSAGE_SELF)));"
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", told + code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    wall = time.monotonic() - begun
    cpu, peak = done.stderr.split()[-2:]
    return wall, float(cpu), float(peak) / (1024 if sys.platform == "linux" else resource.getpagesize())


if __name__ == "__main__":
    sys.exit(main())
