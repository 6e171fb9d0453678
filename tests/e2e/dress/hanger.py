"""Changes on one machine, each of which is taken back when its stack ends, the last one first."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import PurePosixPath

from tests.e2e.site import Site

AWAY = "/var/lib/dressed"
"""What the names of files that lie aside begin with."""
_CHANGE = 'ln "$0" "$1" && cp -L --preserve=mode,ownership "$0" "$1.new" && cat > "$1.new" && mv -T "$1.new" "$0"'


class Hanger:
    """A machine that is being dressed."""

    def __init__(self, site: Site, node: str, back: ExitStack) -> None:
        self.site, self.node, self._back = site, node, back

    def run(self, *argv: str, undo: tuple[str, ...]) -> None:
        """Run a program; `undo` is run also where it failed half way."""
        self._back.callback(self.site.root, self.node, *undo)
        self.site.root(self.node, *argv)

    def read(self, path: str) -> str:
        return self.site.read(self.node, path) or ""

    def change(self, path: str, text: str) -> None:
        """Another text for a file that is there; the file itself lies aside and is put back."""
        away = f"{AWAY}{path.replace('/', '-')}"
        self._back.callback(self.site.root, self.node, "mv", "-T", away, path)
        self.site.root(self.node, "sh", "-c", _CHANGE, path, away, stdin=text)

    def add(self, path: str, text: str, *, mode: str = "644") -> None:
        """A new file, with the directories above it that are not there."""
        for directory in reversed(PurePosixPath(path).parents):
            if self.site.code(self.node, "test", "-d", str(directory)):
                self.run("mkdir", str(directory), undo=("rmdir", str(directory)))
        self._back.callback(self.site.root, self.node, "rm", "-f", path)
        self.site.write(self.node, path, text)
        self.site.root(self.node, "chmod", mode, path)

    def hide(self, path: str) -> None:
        """A file that is not there any more."""
        self.run("mv", "-T", path, f"{path}.dressed", undo=("mv", "-T", f"{path}.dressed", path))

    def mount(self, path: str, size: str) -> None:
        """An empty filesystem of its own at a path."""
        self.run("mkdir", path, undo=("rmdir", path))
        self.run("mount", "-t", "tmpfs", "-o", f"size={size}", "dressed", path, undo=("umount", path))

    def reload(self) -> None:
        """systemd reads its units: now, and when all that was changed before is back."""
        self.site.root(self.node, "systemctl", "daemon-reload")
