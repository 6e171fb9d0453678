"""`cri-switch plan` of many nodes; its lists beside the typed client's: `python benchmarks/plan_1000.py`.

Prints a table. `--nodes`, `--pods` change the size (1,000 and 30,000); ends with 1 where the claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MIB = 60.0, 1024
CASES = ("ours", "kubernetes-client", "plan")


def main() -> int:
    """Measure each case in a process of its own against one simulator."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--pods", type=int, default=30_000)
    parser.add_argument("--case", choices=CASES, action="append")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cri-switch-benchmark-") as folder:
        words = [sys.executable, "-m", "benchmarks.simulator", folder, str(wish.nodes), str(wish.pods)]
        with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:
            assert simulator.stdin is not None and simulator.stdout is not None  # noqa: S101
            ready = simulator.stdout.readline().split()
            if ready[:1] != ["READY"]:
                return 2
            say(f"{ready[1]} nodes, {ready[2]} pods, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            say(f"{'case':<20} {'seconds':>8} {'CPU s':>8} {'peak MiB':>9} {'child MiB':>10}")
            found = {}
            for case in wish.case or CASES:
                each = found[case] = measure(case, folder)
                figures = (each["seconds"], each["cpu_seconds"], each["peak_mib"], each["largest_child_mib"])
                say(f"{case:<20} {figures[0]:>8} {figures[1]:>8} {figures[2]:>9} {figures[3]:>10}")
            simulator.stdin.close()
    plan = found.get("plan")
    return int(plan is not None and (plan["seconds"] > SECONDS or plan["peak_mib"] > MIB))


def measure(case: str, folder: str) -> dict[str, Any]:
    """The child's own figures; what it says goes to a file beside, shown where it fails."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    environment |= {
        "PREFECT_HOME": f"{folder}/prefect",
        "PREFECT_LOCAL_STORAGE_PATH": f"{folder}/results",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "600",
    }
    words = [sys.executable, "-m", "benchmarks.plan_child", case, folder]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
        raise SystemExit(done.returncode)
    found: dict[str, Any] = json.loads((Path(folder) / "measured.json").read_text())
    return found


def say(line: str) -> None:
    """A line of the table."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
