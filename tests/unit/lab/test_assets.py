"""The pure parts of the lab's assets: archives, the registry's layout, the cache, package files."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import threading
import time
from pathlib import Path

import pytest

from tests.lab.assets import cache, debian, engine
from tests.lab.assets.archive import Image, layer_tar, read_archive, write_archive
from tests.lab.assets.registry import repository_and_tag, store
from tests.lab.assets.repository import release


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "cache"
    monkeypatch.setenv("CRI_SWITCH_LAB_CACHE", str(root))
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "bin").mkdir(parents=True)
    (root / "bin/program").write_text("#!/bin/sh\n")
    (root / "bin/program").chmod(0o755)
    (root / "bin/link").symlink_to("program")
    return root


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class TestArchive:
    def test_ids_are_the_digests_of_what_they_name(self, tree: Path, tmp_path: Path) -> None:
        path = write_archive(Image("lab/app:1", entrypoint=["/bin/program"]), tree, tmp_path)
        ref, config, layers = read_archive(path)
        assert path.name == "lab_app_1.tar"
        assert ref == "lab/app:1"
        assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{sha256(layers[0])}"]
        with tarfile.open(path) as archive:
            assert f"{sha256(config)}.json" in archive.getnames()

    def test_config_says_what_runs(self, tree: Path, tmp_path: Path) -> None:
        image = Image("x:1", entrypoint=["/a"], command=["b"], labels={"lab": "yes"})
        config = json.loads(read_archive(write_archive(image, tree, tmp_path))[1])
        assert (config["os"], config["architecture"]) == ("linux", "amd64")
        assert (config["config"]["Entrypoint"], config["config"]["Cmd"]) == (["/a"], ["b"])

    def test_same_tree_same_bytes(self, tree: Path) -> None:
        first = layer_tar(tree)
        os.utime(tree / "bin/program", (1, 1))
        assert layer_tar(tree) == first

    def test_layer_keeps_modes_and_links_and_belongs_to_root(self, tree: Path, tmp_path: Path) -> None:
        (tmp_path / "layer.tar").write_bytes(layer_tar(tree))
        with tarfile.open(tmp_path / "layer.tar") as layer:
            assert [member.name for member in layer] == ["bin", "bin/link", "bin/program"]
            assert layer.getmember("bin/link").linkname == "program"
            assert layer.getmember("bin/program").mode == 0o755
            assert {member.uid for member in layer} == {0}


class TestRegistry:
    def test_layout(self, tmp_path: Path) -> None:
        name = store(tmp_path, "lab/app", "1", b"{}", [b"layer"])
        registry = tmp_path / "docker/registry/v2"
        repository = registry / "repositories/lab/app"
        digest = name.removeprefix("sha256:")
        assert (repository / "_manifests/tags/1/current/link").read_text() == name
        assert (repository / f"_manifests/tags/1/index/sha256/{digest}/link").read_text() == name
        assert (repository / f"_manifests/revisions/sha256/{digest}/link").read_text() == name
        manifest = json.loads((registry / f"blobs/sha256/{digest[:2]}/{digest}/data").read_bytes())
        for part in (manifest["config"], *manifest["layers"]):
            value = part["digest"].removeprefix("sha256:")
            data = (registry / f"blobs/sha256/{value[:2]}/{value}/data").read_bytes()
            assert (sha256(data), len(data)) == (value, part["size"])
            assert (repository / f"_layers/sha256/{value}/link").read_text() == part["digest"]

    @pytest.mark.parametrize(
        ("ref", "place"),
        [
            ("k8s.gcr.io/kube-proxy:v1.20.2", ("kube-proxy", "v1.20.2")),
            ("lab/app:1", ("lab/app", "1")),
            ("busybox:2", ("busybox", "2")),
        ],
    )
    def test_place_of_a_reference(self, ref: str, place: tuple[str, str]) -> None:
        assert repository_and_tag(ref) == place


class TestCache:
    def test_key_depends_on_the_inputs_alone(self) -> None:
        assert cache.key({"a": 1, "b": [2]}) == cache.key({"b": [2], "a": 1})
        assert cache.key({"a": 1}) != cache.key({"a": 2})

    def test_built_once(self) -> None:
        calls: list[Path] = []
        for _ in range(2):
            path = cache.entry("thing", {"a": 1}, calls.append)
        assert len(calls) == 1
        assert path.is_dir()

    def test_failed_build_leaves_nothing(self, own_cache: Path) -> None:
        def fail(target: Path) -> None:
            (target / "half").touch()
            raise RuntimeError("no")

        with pytest.raises(RuntimeError):
            cache.entry("thing", {}, fail)
        assert not list(own_cache.glob("**/half"))
        assert cache.entry("thing", {}, lambda target: (target / "whole").touch()).joinpath("whole").exists()

    def test_what_a_killed_build_left_is_not_taken_over(self, own_cache: Path) -> None:
        partial = own_cache / f".thing-{cache.key({})}.partial"
        partial.mkdir(parents=True)
        (partial / "half").touch()
        assert not list(cache.entry("thing", {}, lambda _: None).iterdir())

    def test_sweep_takes_what_no_process_holds(self, own_cache: Path) -> None:
        with cache.scratch("mine") as mine:
            dead = own_cache / ".scratch-x-4194999-1"
            partial = own_cache / ".thing-1.partial"
            for path in (dead, partial):
                path.mkdir()
            cache.sweep()
            assert [path.exists() for path in (mine, dead, partial)] == [True, False, False]

    def test_sweep_leaves_what_is_being_built(self) -> None:
        def build(target: Path) -> None:
            cache.sweep()
            (target / "whole").touch()

        assert (cache.entry("thing", {}, build) / "whole").exists()

    def test_two_at_once_build_once(self) -> None:
        calls: list[Path] = []

        def slow(target: Path) -> None:
            calls.append(target)
            time.sleep(0.1)

        threads = [threading.Thread(target=cache.entry, args=("thing", {}, slow)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(calls) == 1

    def test_unused_is_forgotten_and_used_is_not(self, own_cache: Path) -> None:
        old, used = (cache.entry("thing", {"n": n}, lambda _: None) for n in range(2))
        for path in (old, used):
            os.utime(own_cache / f"{path.name}.json", (1, 1))
        cache.entry("thing", {"n": 1}, lambda _: None)
        assert cache.forget_unused(1) == [old.name]
        assert (old.exists(), used.exists()) == (False, True)


class TestDebian:
    ONE_LINE = "deb https://example.org/apt cloud main\ndeb [signed-by=/k] http://mirror/debian bookworm main contrib\n"
    DEB822 = "Types: deb\nURIs: https://other\nSuites: nodistro\nComponents: main\n\n" + (
        "Types: deb\n# a comment\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
    )
    SECURITY = "Types: deb\nURIs: http://mirror/security\nSuites: bookworm-security\nComponents: main\n"

    @pytest.mark.parametrize(
        ("text", "found"), [(ONE_LINE, "http://mirror/debian"), (DEB822, "http://mirror/debian"), (SECURITY, None)]
    )
    def test_mirror_is_that_of_debian_itself(self, text: str, found: str | None) -> None:
        assert debian.debian_uri(text) == found

    def test_release_lists_sums_and_sizes(self) -> None:
        text = release("engine", {"main/binary-amd64/Packages": b"abc"})
        assert "Suite: engine\n" in text
        assert f" {sha256(b'abc')} 3 main/binary-amd64/Packages\n" in text


class TestEngine:
    def test_unit_knows_no_containerd_of_the_system(self) -> None:
        text = engine.engine_unit(
            "[Unit]\nAfter=network-online.target docker.socket containerd.service\n"
            "Wants=network-online.target containerd.service\n\n[Service]\nType=notify\n"
            "ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\n"
        )
        assert "containerd" not in text
        assert "[Service]\nEnvironment=PATH=/usr/lib/docker-engine/bin:" in text

    def test_control(self) -> None:
        text = engine.engine_control(
            "Package: docker.io\nVersion: 20.10.5\nBuilt-Using: x (= 1)\n"
            "Depends: adduser, containerd (>= 1.4~), runc, tini, libc6\nRecommends: git\n"
            "Description: short\n long\n .\n more\n"
        )
        assert "Package: docker-engine\n" in text
        assert "Depends: adduser, libc6\n" in text
        assert "Built-Using" not in text
        assert "Conflicts: docker.io, docker-ce, docker-ce-cli\n" in text
        assert "Description: short\n long\n .\n more\n" in text
