"""Kubernetes v1.20.2 from Debian's source package, built with the Go of Debian 11, and the lab's own programs.

Facts: Debian's source package `kubernetes` holds all of Kubernetes, dockershim included, vendored. Built with a newer
Go (1.19) it compiles, but kubeadm panics in reflect2.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.assets.cache import digest, entry, scratch
from tests.lab.assets.debian import bootstrap, fetch, in_root, run

VERSION = "v1.20.2"
_COMMIT = "faecb196815e248d3ecfb03c680a4507229c2a56"
_DEBIAN = 11  # whose Go builds it
_SOURCE_DEBIAN = 12  # whose source package is the same upstream; Debian 11's revision has left some mirrors
_TOOLCHAIN = "golang-go make rsync jq git gcc libc6-dev ca-certificates dpkg-dev xz-utils"
_PROGRAMS = (
    *("kubelet", "kubeadm"),
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
    "kubectl",
)
_OWN = ("crictl", "labapp", "runcwrapper")
_TREE = "go/src/k8s.io/kubernetes"
_HERE = Path(__file__).parent

_MAKE = f"""
export GOPATH=/go GO111MODULE=off GOCACHE=/tmp/go-cache HOME=/root CGO_ENABLED=0
export KUBE_GIT_VERSION={VERSION} KUBE_GIT_COMMIT={_COMMIT} KUBE_GIT_TREE_STATE=clean
export KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20 SOURCE_DATE_EPOCH=1610582400
cd /{_TREE}
make WHAT="{" ".join(f"cmd/{program}" for program in _PROGRAMS)}"
"""


def kubernetes() -> Path:
    """The directory with Kubernetes' programs, the `crictl` stand-in, `labapp` and `runcwrapper`, all static."""
    return entry("bin", {"kubernetes": _kubernetes().name, "own": _own_programs().name}, _collect)


def _collect(target: Path) -> None:
    for source in (_kubernetes(), _own_programs()):
        for program in source.iterdir():
            (target / program.name).hardlink_to(program)


def _kubernetes() -> Path:
    inputs = {"version": VERSION, "commit": _COMMIT, "debian": _DEBIAN, "programs": _PROGRAMS, "make": _MAKE}
    return entry("kubernetes", inputs, _build_kubernetes)


def _build_kubernetes(target: Path) -> None:
    source = _source()
    with scratch("kubernetes") as root:
        run(["cp", "-a", f"{_toolchain()}/.", str(root)])
        _unpack(source, root)
        in_root(root, _MAKE)
        for program in _PROGRAMS:
            shutil.copy2(root / _TREE / "_output/local/bin/linux/amd64" / program, target / program)


def _own_programs() -> Path:
    """One Go file each, built against what Kubernetes vendors."""
    inputs = {"kubernetes": VERSION, "programs": _OWN, "sources": digest(*(_HERE / program for program in _OWN))}
    return entry("own-programs", inputs, _own)


def _own(target: Path) -> None:
    with scratch("own-programs") as root:
        run(["cp", "-a", f"{_toolchain()}/.", str(root)])
        _unpack(_source(), root)
        for program in _OWN:
            shutil.copytree(_HERE / program, root / _TREE / "cmd" / program)
            in_root(
                root,
                f"export GOPATH=/go GO111MODULE=off GOCACHE=/tmp/go-cache HOME=/root CGO_ENABLED=0\ncd /{_TREE}\n"
                f"go build -ldflags '-s -w' -o /tmp/{program} ./cmd/{program}\n",
            )
            shutil.copy2(root / "tmp" / program, target / program)


def _toolchain() -> Path:
    return entry(
        "go-root", {"debian": _DEBIAN, "packages": _TOOLCHAIN.split()}, lambda p: bootstrap(p, _DEBIAN, _TOOLCHAIN)
    )


def _source() -> Path:
    return entry("kubernetes-source", {"debian": _SOURCE_DEBIAN, "package": "kubernetes"}, _download)


def _download(target: Path) -> None:
    fetch(target, _SOURCE_DEBIAN, "source", "--download-only", "kubernetes")


def _unpack(source: Path, root: Path) -> None:
    tree = root / _TREE
    tree.parent.mkdir(parents=True)
    run(["dpkg-source", "--no-check", "-x", str(next(source.glob("*.dsc"))), str(tree)])
