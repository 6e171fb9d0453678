"""Installing the runtime and removing Docker, against a node with a little package state."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.actions.install_runtime import install_runtime
from cri_switch.node.actions.remove_docker import remove_docker
from cri_switch.node.actions.stage_packages import stage_packages
from cri_switch.node.command import Command, Result
from cri_switch.node.fake import ScriptedConnection
from tests.unit.node.helpers import ATTEMPT, job_text, migration, unit_text


@dataclass
class Apt:
    """dpkg's and apt's state; a job's effect is there at once."""

    installed: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    manual: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    offered: dict[str, str] = field(default_factory=lambda: {"containerd": "1.4.13", "docker.io": "20.10.5"})
    masked: bool = False
    files: set[str] = field(default_factory=set)
    also_removes: tuple[str, ...] = ()
    containers: str = "a\nb\n"
    pid: str = "7"
    held_before: tuple[str, ...] = ()
    """The record of how the node was before."""
    node: ScriptedConnection = field(init=False)

    def __post_init__(self) -> None:
        self.node = ScriptedConnection(
            "node1",
            {
                re.compile("originals.jsonl$"): Result(1, "", "No such file or directory"),
                re.compile("^sha256sum .*/config.toml"): Result(1, "", "No such file or directory"),
                re.compile("^dd of=.*/originals.jsonl "): "",
                "before.json": lambda _c: Result(0, json.dumps({"held": self.held_before})),
                "dpkg-query": self._query,
                "apt-mark showmanual": lambda _c: Result(0, "\n".join(self.manual)),
                "apt-mark showhold": lambda _c: Result(0, "\n".join(self.held)),
                re.compile("^apt-mark (manual|hold|unhold) "): self._mark,
                "apt-cache policy": self._policy,
                "apt-get -s": self._simulate,
                "systemctl show": self._show,
                "systemd-run": self._run,
                "systemctl unmask": self._unmask,
                "deb-systemd-helper unmask": self._unmask,
                "systemctl": "",
                "ctr -n k8s.io containers ls -q": lambda _c: Result(0, self.containers),
                "find /etc/systemd/system": lambda _c: Result(0, "\n".join(f for f in self.files if "wants" in f)),
                re.compile("find /etc -maxdepth 2 .*rc"): lambda _c: Result(
                    0, "\n".join(f for f in self.files if "/rc" in f)
                ),
                "stat -c": lambda _c: Result(1, "\n".join(f for f in self.files if not re.search("wants|/rc", f))),
                "rm -rf": self._rm,
            },
        )

    def _query(self, command: Command) -> Result:
        names = command.argv[4:]
        rows = [f"{n}\tii \t{v}" for n, v in self.installed.items() if n in names]
        return Result(0, "\n".join([*rows, *(f"{n}\trc \t1" for n in self.removed if n in names)]))

    def _mark(self, command: Command) -> Result:
        names = set(command.argv[2:])
        match command.argv[1]:
            case "manual":
                self.manual |= names
            case "hold":
                self.held |= names
            case "unhold":
                self.held -= names
        return Result(0, "")

    def _policy(self, command: Command) -> Result:
        version = self.offered.get(command.argv[2], "")
        table = f" *** {version} 500\n        500 http://a b Packages\n" if version else ""
        return Result(0, f"  Candidate: {version or '(none)'}\n  Version table:\n{table}")

    def _simulate(self, command: Command) -> Result:
        if "remove" in command.argv:
            return Result(0, "".join(f"Remv {n} [1]\n" for n in (*command.argv[-1:], *self.also_removes)))
        return Result(
            0, "Inst runc (1.0)\nInst containerd (1.4.13)\n" + "".join(f"Remv {n}\n" for n in self.also_removes)
        )

    def _show(self, command: Command) -> Result:
        blocks = []
        for name in command.argv[command.argv.index("--") + 1 :]:
            if name.startswith("docker"):
                blocks.append(unit_text(name, "inactive", "dead", "masked" if self.masked else "loaded"))
            elif name.startswith("containerd"):
                blocks.append(unit_text(name, MainPID=self.pid))
            else:
                blocks.append(job_text(name, self.node.lines))
        return Result(0, "\n".join(blocks))

    def _run(self, command: Command) -> Result:
        words = command.argv
        assert words[words.index("apt-get") + 1] == "-y"
        if "--download-only" in words or "update" in words:
            return Result(0, "")
        if "install" in words:
            self.installed |= {"containerd": "1.4.13", "runc": "1.0"}
            self.manual.add("containerd")
        if "remove" in words:
            self.installed.pop("docker.io")
            self.removed.add("docker.io")
            self.masked = True  # as Debian 11's postrm
        return Result(0, "")

    def _unmask(self, _command: Command) -> Result:
        self.masked = False
        return Result(0, "")

    def _rm(self, command: Command) -> Result:
        self.files.discard(command.argv[-1])
        return Result(0, "")

    def do(self, action: Action, *, dry_run: bool = False) -> Performed:
        return perform(self.node, action, dry_run=dry_run, sleep=lambda _s: None)

    @property
    def changes(self) -> list[str]:
        """What was done, without the jobs' tidying."""
        said = [
            line
            for line in self.node.lines
            if re.match("systemd-run|apt-mark (man|un|ho)|rm|deb-|systemctl (un|dae)", line)
        ]
        return [re.sub(r"systemd-run .* -- apt-get -y (-o \S+ )*", "JOB ", line) for line in said]


def test_a_fresh_install() -> None:
    apt = Apt({"docker-engine": "20"})
    done = apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes == ["JOB install --no-install-recommends --no-remove containerd", "apt-mark manual runc"]
    assert done.summary == "containerd installed"
    assert any("--unit=cri-switch-m-2-install-" in line for line in apt.node.lines)
    assert any(
        "DPkg::Lock::Timeout=300" in line and "DEBIAN_FRONTEND=noninteractive" in line for line in apt.node.lines
    )
    again = apt.do(install_runtime(migration(), ATTEMPT))
    assert (again.changed, again.summary) == (0, "containerd 1.4.13 was installed already, manually")


def test_a_hold_is_lifted_and_restored() -> None:
    apt = Apt({"docker-engine": "20"}, held={"containerd"}, held_before=("containerd",))
    apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes[0] == "apt-mark unhold containerd"
    assert apt.changes[-1] == "apt-mark hold containerd"
    assert apt.held == {"containerd"}


def test_a_hold_that_a_killed_run_had_lifted_is_restored() -> None:
    apt = Apt({"containerd": "1.4.13", "runc": "1.0"}, manual={"containerd", "runc"}, held_before=("containerd",))
    apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes == ["apt-mark hold containerd"]


def test_an_installed_one_is_never_upgraded_but_marked() -> None:
    apt = Apt({"docker.io": "20.10.5", "containerd": "1.4.5", "runc": "1"}, manual={"docker.io"})
    done = apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes == ["apt-mark manual containerd runc"]
    assert "1.4.5 was installed already; marked manual (was automatic): containerd, runc" in done.summary


def test_docker_coms_package_counts_as_the_runtime() -> None:
    apt = Apt({"containerd.io": "1.4.6"}, manual={"containerd.io"})
    assert apt.do(install_runtime(migration(), ATTEMPT)).changed == 0


def test_nothing_is_installed_at_another_packages_expense() -> None:
    apt = Apt({"docker-ce": "19"}, also_removes=("docker-ce",))
    with pytest.raises(NotProven, match="would remove docker-ce"):
        apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes == []


def test_the_lists_are_read_when_apt_knows_no_candidate() -> None:
    apt = Apt(offered={})
    apt.do(install_runtime(migration(), ATTEMPT))
    assert apt.changes[0] == "JOB update"


def test_a_dry_run_says_what_it_would_do() -> None:
    apt = Apt()
    done = apt.do(install_runtime(migration(), ATTEMPT), dry_run=True)
    assert apt.changes == []
    assert any("install containerd" in line for line in done.lines)


def test_staging_only_downloads() -> None:
    apt = Apt()
    apt.do(stage_packages(migration(), ATTEMPT))
    assert apt.changes[0] == "JOB update"
    assert apt.changes[1:] == ["JOB install --no-install-recommends --no-remove --download-only containerd"]
    assert "containerd" not in apt.installed


def docker() -> Apt:
    versions = {"docker.io": "20.10.5", "containerd": "1.4.13", "runc": "1"}
    link = "/etc/systemd/system/multi-user.target.wants/docker.service"
    links = {link, "/etc/rc2.d/S01docker", "/etc/rc0.d/K01docker"}
    return Apt(versions, masked=True, files={"/run/docker.sock", "/var/lib/dockershim", *links})


def test_docker_is_removed_in_the_measured_order() -> None:
    apt = docker()
    apt.held = {"docker.io"}
    done = apt.do(remove_docker(migration(), ATTEMPT))
    assert apt.changes[:7] == [
        "JOB install --reinstall --download-only --allow-change-held-packages docker.io=20.10.5",
        "apt-mark manual containerd runc",
        "apt-mark unhold docker.io",
        "systemctl unmask docker.service docker.socket",
        "JOB remove docker.io",
        "deb-systemd-helper unmask docker.service docker.socket",
        next(line for line in apt.changes[6:7]),
    ]
    helper = next(command for command in apt.node.ran if command.argv[0] == "deb-systemd-helper")
    assert helper.env == (("DPKG_MAINTSCRIPT_PACKAGE", "docker.io"),)
    assert apt.changes[-1] == "systemctl daemon-reload"
    assert (apt.masked, apt.files) == (False, set())
    assert "removed docker.io 20.10.5" in done.summary
    assert not any("purge" in line or "autoremove" in line for line in apt.changes)
    assert not any("/var/lib/docker " in f"{line} " for line in apt.changes)
    assert apt.do(remove_docker(migration(), ATTEMPT)).changed == 0


def test_docker_stays_when_its_version_cannot_be_had_again() -> None:
    apt = docker()
    apt.offered = {"docker.io": "20.10.99"}
    with pytest.raises(NotProven, match=r"a source that still has docker\.io 20\.10\.5"):
        apt.do(remove_docker(migration(), ATTEMPT))
    assert "docker.io" in apt.installed
    assert apt.changes == ["JOB update"]


def test_docker_stays_when_apt_would_take_more() -> None:
    apt = docker()
    apt.also_removes = ("kubelet",)
    with pytest.raises(NotProven, match="also remove kubelet"):
        apt.do(remove_docker(migration(), ATTEMPT))
    assert "docker.io" in apt.installed


def test_docker_stays_without_a_containerd_of_its_own() -> None:
    apt = Apt({"docker.io": "20.10.5"})
    with pytest.raises(NotProven, match="Docker's packages stay"):
        apt.do(remove_docker(migration(), ATTEMPT))


def test_containers_that_vanished_are_seen() -> None:
    apt = docker()
    answers = iter(["a\nb\n", "c\n"])
    apt.node.answers["ctr -n k8s.io containers ls -q"] = lambda _c: Result(0, next(answers))
    with pytest.raises(NotProven, match="outlive the removal"):
        apt.do(remove_docker(migration(), ATTEMPT))


@pytest.mark.parametrize("after", ["b\n", "b\nc\n"])
def test_a_pod_that_ends_by_itself_meanwhile_is_no_fault(after: str) -> None:
    """The node serves while Docker's packages go: the CronJob's last pod is collected, a new one starts."""
    apt = docker()
    answers = iter(["a\nb\n", after])
    apt.node.answers["ctr -n k8s.io containers ls -q"] = lambda _c: Result(0, next(answers))
    apt.do(remove_docker(migration(), ATTEMPT))
    assert "docker.io" not in apt.installed


def test_a_dry_run_of_the_removal_passes_through() -> None:
    apt = docker()
    done = apt.do(remove_docker(migration(), ATTEMPT), dry_run=True)
    assert apt.changes == []
    assert any("remove docker.io" in line for line in done.lines)
