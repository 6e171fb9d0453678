"""A directory of things that are built once: each entry is named by a hash of what it was built from."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_DEFAULT_ROOT = "/var/cache/cri-switch-lab"


def cache_root() -> Path:
    """The cache's directory, outside the checkout: `CRI_SWITCH_LAB_CACHE`, or one under /var/cache."""
    root = Path(os.environ.get("CRI_SWITCH_LAB_CACHE", _DEFAULT_ROOT))
    root.mkdir(parents=True, exist_ok=True)
    return root


def key(inputs: Mapping[str, Any]) -> str:
    """The hash that names an entry: of the inputs as canonical JSON, so the order of keys does not matter."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def entry(kind: str, inputs: Mapping[str, Any], build: Callable[[Path], None]) -> Path:
    """The directory of one cached thing; `build` fills a directory beside it, which is renamed when whole.

    Two processes that want the same entry wait for each other (flock), and the second finds it built.
    What a killed build left is removed by the next one.
    """
    target = cache_root() / f"{kind}-{key(inputs)}"
    if target.is_dir():
        os.utime(_inputs_of(target))
        return target
    with _lock(cache_root() / f".{target.name}.lock"):
        if target.is_dir():
            return target
        partial = cache_root() / f".{target.name}.partial"
        _remove(partial)
        partial.mkdir(mode=0o755)
        started = time.monotonic()
        try:
            build(partial)
        except BaseException:
            _remove(partial)
            raise
        _inputs_of(target).write_text(json.dumps(inputs, sort_keys=True, indent=2, default=str) + "\n")
        subprocess.run(["sync", "-f", str(partial)], check=True)
        partial.rename(target)
        print(f"lab assets: {kind} built in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return target


def forget_unused(days: float = 7) -> list[str]:
    """Remove the entries that nobody has asked for in so many days, and answer their names.

    An entry that is in use is not older than the use: its date is that of the last time it was asked for.
    """
    forgotten = []
    for inputs in cache_root().glob("*.json"):
        target = inputs.with_suffix("")
        if inputs.stat().st_mtime < time.time() - days * 86400:
            with _lock(cache_root() / f".{target.name}.lock"):
                _remove(target)
                inputs.unlink(missing_ok=True)
            forgotten.append(target.name)
    return sorted(forgotten)


def sweep() -> None:
    """Remove what killed builds left behind: scratch directories of dead processes, partial entries nobody builds."""
    for path in cache_root().glob(".scratch-*"):
        if not Path(f"/proc/{path.name.split('-')[-2]}").exists():
            _remove(path)
    for path in cache_root().glob(".*.partial"):
        with path.with_suffix(".lock").open("w") as handle, contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)


def digest(*paths: Path) -> str:
    """A hash of files' and directories' contents, for use as one of an entry's inputs."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A directory to build in, on the cache's disk, gone afterwards whatever happened."""
    path = cache_root() / f".scratch-{kind}-{os.getpid()}-{time.monotonic_ns()}"
    path.mkdir()
    try:
        yield path
    finally:
        _remove(path)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _inputs_of(target: Path) -> Path:
    """The file beside an entry that says what it was built from; its date is that of the entry's last use."""
    return target.with_name(f"{target.name}.json")


def _remove(path: Path) -> None:
    """Remove a tree, but never through a mount: one left in it would be the machine's own /dev or /proc."""
    if not path.exists():
        return
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [mount for mount in mounts if mount.startswith(f"{path}/")]
    if inside:
        raise RuntimeError(f"{path} still has mounts inside: {', '.join(inside)}")
    shutil.rmtree(path)
