"""The lab's images: Kubernetes' own from its programs, stand-ins where Debian has none, and the workload's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.lab.assets.archive import Image, write_archive
from tests.lab.assets.cache import digest, entry, scratch
from tests.lab.assets.debian import bootstrap, fetch, run
from tests.lab.assets.kubernetes import VERSION, kubernetes

_HERE = Path(__file__).parent
_DEBIAN = 11  # of kube-proxy's iptables
_ETCD_DEBIAN = 12  # Debian 11 has etcd 3.3, whose etcdctl speaks v2; 12 has 3.4, as Kubernetes 1.20 expects
_PROXY = "iptables conntrack ipset kmod libc6 dash"
_NFT = "iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore"
_APPLETS = "sh sleep ping wget cat echo ls ps kill date hostname ip nslookup touch tail head grep sync stat id"

_STATIC = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# On every node from the start, and what only the lab's registry has.
PRELOADED = [
    *(Image(f"k8s.gcr.io/{name}:{VERSION}", command=[f"/usr/local/bin/{name}"]) for name in _STATIC),
    Image(f"k8s.gcr.io/kube-proxy:{VERSION}", command=["/usr/local/bin/kube-proxy"]),
    Image("k8s.gcr.io/etcd:3.4.13-0", command=["/usr/local/bin/etcd"]),
    Image("k8s.gcr.io/pause:3.2", entrypoint=["/pause"]),
    Image("k8s.gcr.io/coredns:1.7.0", entrypoint=["/coredns"]),
    Image("lab/app:1", entrypoint=["/labapp"], command=["serve"]),
]
FRESH = Image("lab/fresh:1", entrypoint=["/labapp"], command=["serve"], labels={"lab": "fresh"})


def images() -> Path:
    """A directory of archives for `docker load`, and `images.json`, a list of {"ref", "file"}.

    images.json names what nodes have from the start; `fresh.json`, in the same form, what only the registry has.
    """
    inputs = {
        "programs": kubernetes().name,
        "proxy": [_DEBIAN, _PROXY],
        "etcd": _ETCD_DEBIAN,
        "own": digest(_HERE / "images.py", _HERE / "archive.py", _HERE / "pause"),
    }
    return entry("images", inputs, _build)


def _build(target: Path) -> None:
    fillers: dict[str, Callable[[Path], None]] = {
        "kube-proxy": _fill_proxy,
        "etcd": _fill_etcd,
        "pause": lambda tree: _fill_pause(tree, "pause"),
        "coredns": lambda tree: _fill_pause(tree, "coredns"),
        "app": _fill_app,
        "fresh": _fill_fresh,
    }
    for image in (*PRELOADED, FRESH):
        name = image.ref.split("/")[-1].split(":")[0]
        with scratch("image") as tree:
            tree.chmod(0o755)
            if name in fillers:
                fillers[name](tree)
            else:
                _place(kubernetes() / name, tree / "usr/local/bin" / name)
            write_archive(image, tree, target)
    _list(target / "images.json", PRELOADED)
    _list(target / "fresh.json", [FRESH])


def _list(path: Path, wanted: list[Image]) -> None:
    path.write_text(json.dumps([{"ref": image.ref, "file": image.file} for image in wanted], indent=2) + "\n")


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _fill_proxy(tree: Path) -> None:
    """kube-proxy and the programs that it calls: iptables (nft, as the nodes' own), conntrack, ipset, modprobe."""
    bootstrap(tree / "root", _DEBIAN, _PROXY, variant="extract")
    for unwanted in ("usr/share", "var", "dev", "etc/apt"):
        shutil.rmtree(tree / "root" / unwanted, ignore_errors=True)
    for path in (tree / "root").iterdir():
        path.rename(tree / path.name)
    (tree / "root").rmdir()
    (tree / "run").mkdir(exist_ok=True)  # of iptables' lock
    (tree / "var").mkdir()
    (tree / "tmp").mkdir(exist_ok=True)
    for name in _NFT.split():
        _link(tree / "usr/sbin" / name, "xtables-nft-multi")
    _link(tree / "bin/sh", "dash")
    _place(kubernetes() / "kube-proxy", tree / "usr/local/bin/kube-proxy")


def _fill_etcd(tree: Path) -> None:
    """etcd and etcdctl with their C library, and no shell."""
    with scratch("etcd") as work:
        fetch(work, _ETCD_DEBIAN, "download", "etcd-server", "etcd-client", "libc6")
        for deb in work.glob("*.deb"):
            run(["dpkg-deb", "-x", str(deb), str(work / "files")])
        for name in ("etcd", "etcdctl"):
            _place(work / "files/usr/bin" / name, tree / "usr/local/bin" / name)
        libraries = next(path.parent for path in (work / "files").glob("**/libc.so.6"))
        for path in libraries.glob("lib*.so.*"):
            _place(path, tree / "lib/x86_64-linux-gnu" / path.name)
        _place(libraries / "ld-linux-x86-64.so.2", tree / "lib64/ld-linux-x86-64.so.2")
    (tree / "tmp").mkdir(mode=0o1777)


def _fill_pause(tree: Path, name: str) -> None:
    run(["gcc", "-Os", "-Wall", "-static", "-s", "-o", str(tree / name), str(_HERE / "pause/pause.c")])


def _fill_app(tree: Path) -> None:
    """labapp, and a busybox with its programs under their own names, so that `exec` and preStop find them."""
    _place(kubernetes() / "labapp", tree / "labapp")
    with scratch("busybox") as work:
        fetch(work, _DEBIAN, "download", "busybox-static")
        run(["dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(work / "files")])
        _place(next((work / "files").glob("**/bin/busybox")), tree / "bin/busybox")
    for applet in _APPLETS.split():
        _link(tree / "bin" / applet, "busybox")
    _fill_etc(tree)


def _fill_fresh(tree: Path) -> None:
    _place(kubernetes() / "labapp", tree / "labapp")
    (tree / "fresh").write_text("pulled after the migration\n")
    _fill_etc(tree)


def _fill_etc(tree: Path) -> None:
    (tree / "etc").mkdir()
    (tree / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (tree / "etc/group").write_text("root:x:0:\n")
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)


def _link(path: Path, destination: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(destination)
