from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cri_switch.render.containerd_config import ContainerdWish, configure_containerd
from cri_switch.render.containerd_registry import reads_hosts_toml
from cri_switch.render.errors import RenderError
from cri_switch.render.registries import Registries

CRI = "io.containerd.grpc.v1.cri"
LINUX = "io.containerd.runtime.v1.linux"
REGISTRIES = Registries(mirrors=("http://r:5000",), insecure=("r:5000",))
WISH = ContainerdWish("1.4.13", "k8s.gcr.io/pause:3.2", True, "/opt/cni/bin", "/etc/cni/net.d", REGISTRIES)

DEBIAN = """version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"
"""
DOCKER_COM = """#   Copyright 2018-2020 Docker Inc.

#   Licensed under the Apache License, Version 2.0

disabled_plugins = ["cri"]

#root = "/var/lib/containerd"

#[grpc]
#  address = "/run/containerd/containerd.sock"
"""
SCHEMA_1 = """# mine
oom_score = -999
disabled_plugins = ["aufs", "cri"]

[plugins]
  [plugins.linux]
    shim = "containerd-shim" # kept
  # the cri
  [plugins.cri]
    systemd_cgroup = true
    stream_server_port = "0"
    [plugins.cri.registry.mirrors."docker.io"]
      endpoint = ["https://a", "https://registry-1.docker.io"]
  [plugins.'diff-service']
    default = ["walking"]
[debug]
  level = "info" # last
"""
DUMP_1_6 = """version = 2
imports = []
disabled_plugins = []
root = "/var/lib/containerd"

[plugins]

  [plugins."io.containerd.gc.v1.scheduler"]
    pause_threshold = 0.02

  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "registry.k8s.io/pause:3.6"
    systemd_cgroup = false

    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/opt/cni/bin"
      conf_dir = "/etc/cni/net.d"
      max_conf_num = 1

    [plugins."io.containerd.grpc.v1.cri".containerd]
      default_runtime_name = "runc"

      [plugins."io.containerd.grpc.v1.cri".containerd.default_runtime]
        runtime_type = ""

        [plugins."io.containerd.grpc.v1.cri".containerd.default_runtime.options]

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]

        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          base_runtime_spec = ""
          runtime_type = "io.containerd.runc.v2"

          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            BinaryName = ""
            SystemdCgroup = false

        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
          runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
            BinaryName = "/usr/bin/nvidia-container-runtime"

    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = ""

      [plugins."io.containerd.grpc.v1.cri".registry.auths]

      [plugins."io.containerd.grpc.v1.cri".registry.configs]

      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]

[timeouts]
  "io.containerd.timeout.shim.cleanup" = "5s"
"""
SCHEMA_3 = """version = 3
imports = ['/etc/containerd/conf.d/*.toml']
disabled_plugins = ['io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime', 'io.containerd.snapshotter.v1.zfs']

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    snapshotter = 'overlayfs'

    [plugins.'io.containerd.cri.v1.images'.pinned_images]
      sandbox = 'registry.k8s.io/pause:3.10'

  [plugins.'io.containerd.cri.v1.runtime']
    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dir = ''
      bin_dirs = ['/usr/lib/cni']
"""
OUT_OF_ORDER = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "x"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
"""
INLINE = (
    'version = 2\nplugins = {"io.containerd.grpc.v1.cri" = {sandbox_image = "x", cni = {bin_dir = "/usr/lib/cni"}}}\n'
)
DOTTED = 'version = 2\nplugins."io.containerd.grpc.v1.cri".cni.bin_dir = "/usr/lib/cni"\n'
SUB_FIRST = """version = 2
imports = ['/x/*.toml']
  [plugins."io.containerd.grpc.v1.cri".cni] # sub
    bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".registry.headers]
  X = ["y"]
[plugins.'io.containerd.grpc.v1.cri'.registry]
# a comment
[debug]
  level = 'info'
[plugins."io.containerd.internal.v1.opt"]
  path = "/opt/containerd"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"
"""
NO_NEWLINE = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "x"'
STARTS: dict[str, str | None] = {
    "missing": None,
    "empty": "",
    "comments": "# only\n# comments",
    "debian": DEBIAN,
    "docker.com": DOCKER_COM,
    "schema 1": SCHEMA_1,
    "dump of 1.6": DUMP_1_6,
    "out of order": OUT_OF_ORDER,
    "sub-table first": SUB_FIRST,
    "inline": INLINE,
    "dotted": DOTTED,
    "no newline": NO_NEWLINE,
    "crlf": DEBIAN.replace("\n", "\r\n"),
}


def cri(text: str) -> dict[str, Any]:
    plugin: dict[str, Any] = tomllib.loads(text)["plugins"][CRI]
    return plugin


@pytest.mark.parametrize("version", ["1.4.13~ds1-1", "1.6.20", "1.7.24"])
@pytest.mark.parametrize("start", STARTS, ids=str)
def test_every_start_holds_the_wish_and_twice_is_once(start: str, version: str) -> None:
    wish = replace(WISH, version=version)
    if start == "schema 1":
        wish = replace(wish, registries=Registries())
    text = configure_containerd(STARTS[start], wish)
    data = tomllib.loads(text)
    assert data["version"] == 2
    plugin = cri(text)
    assert plugin["sandbox_image"] == "k8s.gcr.io/pause:3.2"
    assert plugin["cni"]["bin_dir"] == "/opt/cni/bin"
    assert plugin["cni"]["conf_dir"] == "/etc/cni/net.d"
    assert plugin["containerd"]["runtimes"]["runc"]["runtime_type"] == "io.containerd.runc.v2"
    assert plugin["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert "systemd_cgroup" not in plugin
    assert not {"cri", CRI} & set(data.get("disabled_plugins", []))
    if wish.registries:
        assert reads_hosts_toml(text) is (version != "1.4.13~ds1-1")
    assert configure_containerd(text, wish) == text
    source = STARTS[start] or ""
    comments = re.findall(r"#.*", source)
    assert [line for line in re.findall(r"#.*", text) if line in comments] == comments


def test_debian_keeps_all_else() -> None:
    text = configure_containerd(DEBIAN, WISH)
    before, after = tomllib.loads(DEBIAN), tomllib.loads(text)
    assert after["plugins"]["io.containerd.internal.v1.opt"] == before["plugins"]["io.containerd.internal.v1.opt"]
    assert text.index('[plugins."io.containerd.grpc.v1.cri"]') < text.index('[plugins."io.containerd.internal.v1.opt"]')


def test_right_already_is_byte_for_byte() -> None:
    text = configure_containerd(DEBIAN, WISH).replace("version = 2\n", "version  =  2 # mine\n").rstrip("\n")
    assert configure_containerd(text, WISH) == text


def test_docker_com_gets_a_version_and_cri() -> None:
    text = configure_containerd(DOCKER_COM, replace(WISH, registries=Registries()))
    assert "version = 2\ndisabled_plugins = []\n" in text
    assert "registry" not in cri(text)
    assert "version = 3\n" in configure_containerd(DOCKER_COM, replace(WISH, version="2.1.9"))


def test_schema_1_said_aloud() -> None:
    text = configure_containerd('# a\nversion = 1 # b\ndisabled_plugins = ["cri", "zfs"]\n', WISH)
    assert text.startswith('# a\nversion = 2 # b\ndisabled_plugins = ["io.containerd.snapshotter.v1.zfs"]\n')


def test_schema_1_becomes_2_with_its_content() -> None:
    text = configure_containerd(SCHEMA_1, WISH)
    data = tomllib.loads(text)
    assert data["disabled_plugins"] == ["io.containerd.snapshotter.v1.aufs"]
    assert (data["oom_score"], data["debug"]) == (-999, {"level": "info"})
    assert data["plugins"]["io.containerd.runtime.v1.linux"] == {"shim": "containerd-shim"}
    assert data["plugins"]["io.containerd.service.v1.diff-service"] == {"default": ["walking"]}
    assert cri(text)["stream_server_port"] == "0"
    assert set(data["plugins"]) == {
        CRI,
        "io.containerd.runtime.v1.linux",
        "io.containerd.service.v1.diff-service",
    }


@pytest.mark.parametrize(
    ("disabled", "expected"),
    [
        ('["cri"]', []),
        ("[\n  'cri', # c\n  'io.containerd.snapshotter.v1.zfs',\n]", ["io.containerd.snapshotter.v1.zfs"]),
        ('["io.containerd.grpc.v1.cri", "cri", "cri"]', []),
        ('["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]', []),
        ('[""]', []),
    ],
)
def test_cri_is_enabled_whatever_it_is_called(disabled: str, expected: list[str]) -> None:
    text = configure_containerd(f"version = 2\ndisabled_plugins = {disabled}\n", WISH)
    assert tomllib.loads(text)["disabled_plugins"] == expected


def test_below_1_5_registries_are_tables() -> None:
    registry = cri(configure_containerd(DEBIAN, WISH))["registry"]
    assert registry == {
        "mirrors": {
            "docker.io": {"endpoint": ["http://r:5000", "https://registry-1.docker.io"]},
            "r:5000": {"endpoint": ["https://r:5000", "http://r:5000"]},
        },
        "configs": {"r:5000": {"tls": {"insecure_skip_verify": True}}},
    }


def test_1_3_gives_up_where_a_first_endpoint_does_not_answer() -> None:
    registry = cri(configure_containerd(DEBIAN, replace(WISH, version="1.3.9")))["registry"]
    assert registry["mirrors"]["r:5000"] == {"endpoint": ["http://r:5000", "https://r:5000"]}


def test_an_endpoint_of_the_administrators_comes_after_both() -> None:
    start = f'version = 2\n[plugins."{CRI}".registry.mirrors."r:5000"]\nendpoint = ["http://r:5000", "https://a"]\n'
    registry = cri(configure_containerd(start, WISH))["registry"]
    assert registry["mirrors"]["r:5000"] == {"endpoint": ["https://r:5000", "http://r:5000", "https://a"]}


@pytest.mark.parametrize("version", ["1.5.0", "1.6.20", "1.7.24"])
def test_from_1_5_a_directory(version: str) -> None:
    registry = cri(configure_containerd(DEBIAN, replace(WISH, version=version)))["registry"]
    assert registry == {"config_path": "/etc/containerd/certs.d"}


def test_old_tables_are_continued_never_both() -> None:
    text = configure_containerd(SCHEMA_1, replace(WISH, version="1.6.20"))
    registry = cri(text)["registry"]
    assert "config_path" not in registry
    expected = ["http://r:5000", "https://a", "https://registry-1.docker.io"]
    assert registry["mirrors"]["docker.io"]["endpoint"] == expected
    assert not reads_hosts_toml(text)


def test_an_own_config_path_stays_first() -> None:
    start = f'version = 2\n[plugins."{CRI}".registry]\nconfig_path = "/etc/mine"\n'
    text = configure_containerd(start, replace(WISH, version="1.6.20"))
    assert cri(text)["registry"]["config_path"] == "/etc/mine:/etc/containerd/certs.d"
    assert reads_hosts_toml(text)


def test_cgroup_driver_for_every_runc_and_in_both_directions() -> None:
    wish = replace(WISH, version="1.6.20")
    runtimes = cri(configure_containerd(DUMP_1_6, wish))["containerd"]["runtimes"]
    assert {name: one["options"]["SystemdCgroup"] for name, one in runtimes.items()} == {"runc": True, "nvidia": True}
    assert runtimes["nvidia"]["options"]["BinaryName"] == "/usr/bin/nvidia-container-runtime"
    back = configure_containerd(configure_containerd(DUMP_1_6, wish), replace(wish, systemd_cgroup=False))
    assert cri(back)["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False


@pytest.mark.parametrize("start", [SCHEMA_3, None, ""])
def test_schema_3(start: str | None) -> None:
    wish = replace(WISH, version="2.1.9")
    text = configure_containerd(start, wish)
    data = tomllib.loads(text)
    plugins = data["plugins"]
    runtime, images = plugins["io.containerd.cri.v1.runtime"], plugins["io.containerd.cri.v1.images"]
    assert data["version"] == 3
    assert runtime["cni"]["bin_dirs"][0] == "/opt/cni/bin"
    assert "bin_dir" not in runtime["cni"]
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert images["pinned_images"]["sandbox"] == "k8s.gcr.io/pause:3.2"
    assert images["registry"]["config_path"] == "/etc/containerd/certs.d"
    assert plugins["io.containerd.transfer.v1.local"]["config_path"] == "/etc/containerd/certs.d"
    assert CRI not in plugins
    assert configure_containerd(text, wish) == text
    assert reads_hosts_toml(text)
    if start:
        assert data["imports"] == ["/etc/containerd/conf.d/*.toml"]
        assert data["disabled_plugins"] == ["io.containerd.snapshotter.v1.zfs"]
        assert runtime["cni"]["bin_dirs"] == ["/opt/cni/bin", "/usr/lib/cni"]


def test_schema_3_before_bin_dirs() -> None:
    cni = tomllib.loads(configure_containerd(None, replace(WISH, version="2.0.5")))["plugins"][
        "io.containerd.cri.v1.runtime"
    ]["cni"]
    assert cni == {"bin_dir": "/opt/cni/bin", "conf_dir": "/etc/cni/net.d"}


@pytest.mark.parametrize(
    ("text", "version", "words"),
    [
        ("version = 2\nx = \n", "1.4.13", "config.toml:2: not TOML"),
        ("version = 2\n[a\n", "1.4.13", "config.toml:2: not TOML"),
        ("version = 3\n", "1.7.24", "version = 3"),
        ("version = 4\n", "2.1.9", "version = 4"),
        ("version = 'x'\n", "1.4.13", "version = 'x'"),
        ("version = 2\nplugins = 3\n", "1.4.13", "plugins is not a table"),
        ("disabled_plugins = ['nonsense']\n", "1.4.13", "nonsense"),
        ("plugins.cri.sandbox_image = 'x'\n", "1.4.13", "schema 1"),
        ("[plugins.nonsense]\na = 1\n", "1.4.13", "nonsense"),
        ("version = 2\n", "1.2.6", "too old"),
        ("version = 2\n", "", "not known"),
        (DEBIAN, "2.3.0", "bin_dirs"),
        (SCHEMA_1, "2.1.9", "not heeded"),
        (
            f'version = 2\n[plugins."{CRI}".registry]\nconfig_path = "/x"\nmirrors.h.endpoint = []\n',
            "1.6.20",
            "refuses both",
        ),
        (
            f'version = 2\n[plugins."{CRI}".containerd.default_runtime]\nruntime_type = "{LINUX}"\n',
            "1.4.13",
            "default_runtime",
        ),
    ],
)
def test_refused_with_a_clear_message(text: str, version: str, words: str) -> None:
    with pytest.raises(RenderError, match=re.escape(words)) as caught:
        configure_containerd(text, replace(WISH, version=version))
    assert caught.value.path == "/etc/containerd/config.toml"


BLOCKS = st.sampled_from(
    [
        f'[plugins."{CRI}"]\n  sandbox_image = "x" # c\n',
        f'  [plugins."{CRI}".cni]\n    bin_dir = "/usr/lib/cni"\n',
        f'[plugins."{CRI}".containerd]\n  default_runtime_name = "runc"\n',
        f'[plugins."{CRI}".containerd.runtimes.runc]\n  runtime_type = "io.containerd.runc.v1"\n',
        f'[plugins."{CRI}".containerd.runtimes.kata]\n  runtime_type = "io.containerd.kata.v2"\n',
        f"[plugins.'{CRI}'.registry]\n",
        f'[plugins."{CRI}".registry.headers]\n  X = ["y"]\n',
        '[plugins."io.containerd.internal.v1.opt"]\n  path = "/opt/containerd"\n',
        '[grpc]\n  address = "/run/x"\n',
        "[debug]\n\n  # inner\n  level = 'info'\n",
        '[[things]]\n  a = {b = [1, 2], "c.d" = 1979-05-27T07:32:00Z}\n',
        "# a comment\n",
        "\n",
    ]
)
TOPS = st.sampled_from(
    ["", 'disabled_plugins = ["cri"]\n', "imports = ['/x/*.toml']\n", 'root = """\n[plugins.cri]\n"""\n']
)


@settings(max_examples=15, deadline=None)
@given(TOPS, st.lists(BLOCKS, unique=True, max_size=8), st.sampled_from(["1.4.13", "1.6.20"]), st.booleans())
def test_property_wish_holds_and_foreign_keys_stay(top: str, blocks: list[str], version: str, systemd: bool) -> None:
    text = f"version = 2\n{top}" + "".join(blocks)
    wish = replace(WISH, version=version, systemd_cgroup=systemd)
    once = configure_containerd(text, wish)
    assert configure_containerd(once, wish) == once
    plugin = cri(once)
    assert plugin["sandbox_image"] == wish.sandbox_image
    assert plugin["cni"]["bin_dir"] == "/opt/cni/bin"
    assert plugin["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is systemd
    before, after = tomllib.loads(text), tomllib.loads(once)
    for data in (before, after):
        data.get("plugins", {}).pop(CRI, None)
        if not data.get("plugins"):
            data.pop("plugins", None)
        data.pop("disabled_plugins", None)
    assert after == before
