"""Images carried on a node with a little Docker and a little containerd."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.actions.carry_images import import_images, stage_images
from cri_switch.node.command import Command, Result
from cri_switch.node.facts.images import canonical
from cri_switch.node.facts.kubelet import KubeletConfig
from cri_switch.node.facts.room import Room
from cri_switch.node.fake import ScriptedConnection
from cri_switch.node.image_room import STORE, shortage
from tests.unit.node.helpers import ATTEMPT, job_text, migration, unit_text

GIB = 2**30
WHERE = "/var/lib/cri-switch/m/images"


@dataclass
class Node:
    images: dict[str, list[str]] = field(
        default_factory=lambda: {"sha256:1": ["app:1"], "sha256:2": ["k8s.gcr.io/p:3"]}
    )
    containerd: bool | None = True  # None: not installed
    docker: bool = True
    free: int = 50 * GIB
    own_disk: str = ""  # df's line of /var/lib/containerd
    store: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    upgrades: bool = False
    node: ScriptedConnection = field(init=False)

    def __post_init__(self) -> None:
        self.node = ScriptedConnection(
            "node1",
            {
                "systemctl show": self._show,
                "systemctl": "",
                "docker ps -aq": "c1\nc2\n",
                "docker inspect --type container": lambda _c: Result(0, "\n".join(self.images)),
                "docker inspect --type image": self._images,
                "ctr -n k8s.io images ls": lambda _c: Result(0, "\n".join(self.store)),
                "df ": lambda _c: Result(0, f"H\n{100 * GIB} {self.free} / /var/lib\n{self.own_disk}"),
                "systemd-run": self._job,
                "apt-get -s": lambda _c: Result(
                    0, "Inst containerd (1)\n" + "Inst docker.io [1] (2)\n" * self.upgrades
                ),
                "apt-cache policy": "  Candidate: 1\n  Version table:\n",
                "apt-mark": "",
                "dpkg-query": "",
                re.compile("^cat -- "): self._cat,
                "sha256sum": lambda c: Result(0 if c.argv[-1] in self.files else 1, "a" * 64 + "  x", "No such file"),
                "dd of=/var/lib/cri-switch/m/originals.jsonl": "",
                "install": "",
                "rm -f": self._rm,
            },
        )

    def _show(self, command: Command) -> Result:
        blocks = []
        for name in command.argv[command.argv.index("--") + 1 :]:
            if name.startswith("cri-switch"):
                blocks.append(job_text(name, self.node.lines))
            else:
                there = self.docker if name.startswith("docker") else self.containerd
                up = ("active", "running") if there else ("inactive", "dead")
                blocks.append(unit_text(name, *up, "not-found" if there is None else "loaded"))
        return Result(0, "\n".join(blocks))

    def _images(self, _command: Command) -> Result:
        rows = [{"id": i, "tags": t, "digests": [f"r@{i}"], "size": GIB} for i, t in self.images.items()]
        return Result(0, "\n".join(json.dumps(row) for row in rows))

    def _job(self, command: Command) -> Result:
        words = command.argv
        if "save" in words:
            self.files[f"{WHERE}/archive.tar"] = b""
        if "import" in words:
            self.store |= {canonical(t) for tags in self.images.values() for t in tags}
        if "apt-get" in words:
            self.containerd = True
        return Result(0, "")

    def _cat(self, command: Command) -> Result:
        found = self.files.get(command.argv[-1])
        return Result(1, "", "No such file or directory") if found is None else Result(0, found.decode())

    def _rm(self, command: Command) -> Result:
        for path in command.argv[3:]:
            self.files.pop(path, None)
        return Result(0, "")

    def do(self, monkeypatch: pytest.MonkeyPatch, action: Action, *, dry_run: bool = False) -> Performed:
        def write(_node: object, path: str, content: bytes, **_more: object) -> None:
            self.files[path] = content

        monkeypatch.setattr("cri_switch.node.files.write", write)
        return perform(self.node, action, dry_run=dry_run, sleep=lambda _s: None)

    @property
    def jobs(self) -> list[str]:
        return [line.partition(" -- ")[2] for line in self.node.lines if line.startswith("systemd-run")]


def test_carried_before_the_drain_where_containerd_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    done = node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert done.summary == "2 images imported"
    assert node.jobs == [
        f"ionice -c2 -n7 nice -n10 docker save -o {WHERE}/archive.tar app:1 k8s.gcr.io/p:3",
        f"ionice -c2 -n7 nice -n10 ctr -n k8s.io images import {WHERE}/archive.tar",
    ]
    assert list(node.files) == [f"{WHERE}/imported.json"]
    again = node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert (again.changed, again.summary) == (0, "all 2 images in use are there already")


def test_a_tag_that_moved_is_carried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    node.images = {"sha256:9": ["app:1"], "sha256:2": ["k8s.gcr.io/p:3"]}
    node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert "docker save" in node.jobs[2]
    assert node.jobs[2].endswith("archive.tar app:1")


def test_containerd_is_installed_early_beside_a_docker_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(containerd=None)
    node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert "apt-get" in node.jobs[0]
    assert "images import" in node.jobs[-1]


@pytest.mark.parametrize("node", [Node(containerd=None, upgrades=True), Node(containerd=False)])
def test_saved_first_and_imported_while_out(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert node.do(monkeypatch, stage_images(migration(), ATTEMPT)).summary == "2 images saved"
    assert len(node.jobs) == 1
    again = node.do(
        monkeypatch, stage_images(migration(), ATTEMPT)
    )  # once more before Docker stops: nothing is missing
    assert len(node.jobs) == 1
    assert again.changed == 0
    node.docker, node.containerd = False, True
    assert "Docker does not run" in node.do(monkeypatch, stage_images(migration(), ATTEMPT)).summary
    assert node.do(monkeypatch, import_images(migration(), ATTEMPT)).summary == "2 images imported"
    assert node.do(monkeypatch, import_images(migration(), ATTEMPT)).changed == 0


def test_without_staging_they_are_only_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    node.do(monkeypatch, stage_images(migration(stage_images=False), ATTEMPT))
    assert len(node.jobs) == 1


def test_what_has_no_tag_is_left_to_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(images={"sha256:1": ["app:1"], "sha256:3": []})
    assert (
        "left to the registry (no tag to carry): r@sha256:3"
        in node.do(monkeypatch, stage_images(migration(), ATTEMPT)).summary
    )


def test_a_full_disk_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(free=20 * GIB)
    done = node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert (done.changed, node.jobs) == (0, [])
    assert "2 images left to the registry: / would have 14.0 GiB free, less than the 15.0 GiB" in done.summary


def test_a_disk_of_containerds_own_is_not_filled_either(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(own_disk=f"{10 * GIB} {5 * GIB} /var/lib/containerd /var/lib/containerd\n")
    done = node.do(monkeypatch, stage_images(migration(), ATTEMPT))
    assert (done.changed, node.jobs) == (0, [])
    assert "/var/lib/containerd would have 1.0 GiB free" in done.summary


@pytest.mark.parametrize(
    ("config", "carried"),
    [
        ("", False),
        ("evictionHard: {imagefs.available: 5%}\n", False),  # the kubelet's images' garbage collection is as before
        ("evictionHard: {imagefs.available: 5%}\nimageGCHighThresholdPercent: 90\n", True),
        ("evictionHard: {nodefs.available: 20Gi}\nimageGCHighThresholdPercent: 90\n", False),
    ],
)
def test_the_nodes_own_thresholds_count(config: str, carried: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(free=20 * GIB, files={"/var/lib/kubelet/config.yaml": config.encode()})
    assert (node.do(monkeypatch, stage_images(migration(), ATTEMPT)).changed > 0) is carried


@pytest.mark.parametrize(("size", "fits"), [(0, True), (11 * GIB, True), (12 * GIB, False)])
def test_room_for_three_copies_on_one_filesystem(size: int, fits: bool) -> None:
    one = Room("/", 100 * GIB, 50 * GIB)
    assert (shortage({"/var/lib": one, STORE: one}, size, KubeletConfig()) == "") is fits
    assert (shortage({"/var/lib": one}, size, KubeletConfig()) == "") is fits


def test_the_archive_takes_room_where_it_lies() -> None:
    places = {"/var/lib": Room("/", 10 * GIB, 2 * GIB), STORE: Room(STORE, 100 * GIB, 50 * GIB)}
    assert shortage(places, GIB, KubeletConfig()).startswith("/ would have 1.0 GiB free")
    assert shortage(places, GIB // 4, KubeletConfig()) == ""


def test_a_damaged_archive_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    note = json.dumps({"sha256": "b" * 64, "images": {"app:1": "sha256:1"}}).encode()
    node = Node(files={f"{WHERE}/archive.json": note, f"{WHERE}/archive.tar": b""})
    with pytest.raises(NotProven, match="archive of images is whole"):
        node.do(monkeypatch, import_images(migration(), ATTEMPT))
    assert node.jobs == []


def test_a_dry_run_carries_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    done = node.do(monkeypatch, stage_images(migration(), ATTEMPT), dry_run=True)
    assert node.jobs == []
    assert any("docker save" in line for line in done.lines)
