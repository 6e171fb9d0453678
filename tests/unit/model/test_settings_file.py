"""The settings file: what is accepted, and how each mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Spec
from cri_switch.model.settings_file import load_migration, parse_migration

GOOD = """\
apiVersion: cri-switch/v1alpha1
kind: Migration
metadata:
  name: prod
spec:
  cluster:
    kubeconfig: kube/config
  backup:
    directory: ~/backup
  max_unavailable: 25%
"""
FILE = Path("/etc/x/migration.yaml")


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_migration(text, FILE)
    assert caught.value.exit_code == 3
    assert caught.value.state == "nothing was touched"
    return caught.value.what


def test_paths_are_relative_to_the_file_and_the_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    text = GOOD + "  ssh: {identity_file: ../id, known_hosts: /abs/known_hosts}\n"
    spec = parse_migration(text, FILE).spec
    assert spec.cluster.kubeconfig == "/etc/x/kube/config"
    assert spec.backup.directory == "/home/ada/backup"
    assert spec.ssh.identity_file == "/etc/x/../id"
    assert spec.ssh.known_hosts == "/abs/known_hosts"
    assert spec.max_unavailable == "25%"


def test_from_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert load_migration("m.yaml").spec.cluster.kubeconfig == str(tmp_path / "kube/config")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  drain: {tiemout: 5}\n", ":11: spec.drain.tiemout: unknown key; did you mean 'timeout'?"),
        ("  drian: {}\n", ":11: spec.drian: unknown key; did you mean 'drain'?"),
        ("  target:\n    zzz: 1\n", ":12: spec.target.zzz: unknown key; known are runtime, package, endpoint"),
        ("extra: 1\n", ":11: extra: unknown key; known are apiVersion, kind, metadata, spec"),
        ("  max_failures: two\n", ":11: spec.max_failures: should be a valid integer, not 'two'"),
        ("  max_failures: '2'\n", ":11: spec.max_failures: should be a valid integer, not '2'"),
        ("  stage_images: 1\n", ":11: spec.stage_images: should be a valid boolean, not 1"),
        ("  drain:\n    timeout: -1\n", ":12: spec.drain.timeout: should be greater than or equal to 0, not -1"),
        ("  nodes:\n    limit:\n    - a\n    - 5\n", ":14: spec.nodes.limit[1]: should be a valid string, not 5"),
        ("  nodes: worker-1\n", ":11: spec.nodes: should be"),
        ("  ssh:\n    port: 70000\n", ":12: spec.ssh.port: should be less than or equal to 65535, not 70000"),
        ("  remove_docker: now\n", ":11: spec.remove_docker: should be 'after_migration', 'after_node' or 'never'"),
        ("  allow_docker_socket: [a]\n", ":11: spec.allow_docker_socket: 'a' is not namespace/Kind/name"),
        ("  max_failures: 1\n  max_failures: 2\n", ":12: spec.max_failures: given twice"),
        ("  ssh: {identity_file: ~nosuchuser/id}\n", "spec.ssh.identity_file: ~nosuchuser/id:"),
        ("  x: [\n", "not YAML"),
        ("  x: !!python/object:os.system {}\n", "not YAML: could not determine a constructor"),
        ("---\nmore: 1\n", ":11: not YAML: but found another document"),
    ],
)
def test_each_mistake_has_its_line_and_its_key(more: str, expected: str) -> None:
    what = refused(GOOD + more)
    assert expected in what
    assert what.startswith(str(FILE))
    assert len(what.splitlines()) == 1


def test_a_union_says_both_ways() -> None:
    what = refused(GOOD.replace("25%", "many"))
    assert what.startswith(f"{FILE}:10: spec.max_unavailable: should be a valid integer, not 'many', or ")
    assert len(what.splitlines()) == 1


def test_missing_keys_are_named_at_their_section() -> None:
    what = refused("metadata: {name: a}\nspec:\n  cluster:\n    context: x\n")
    assert what.splitlines() == [f"{FILE}:2: spec.backup: missing", f"{FILE}:3: spec.cluster.kubeconfig: missing"]


def test_every_mistake_is_told_at_once() -> None:
    assert len(refused(GOOD + "  a: 1\n  max_failures: x\n  b: 2\n").splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the settings file is empty"),
        ("# c\n", "is empty"),
        ("- a\n", "the file: should be"),
        ("5\n", "the file: "),
    ],
)
def test_what_is_no_settings_file_at_all(text: str, expected: str) -> None:
    assert expected in refused(text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    for path, reason in (("none", "No such file or directory"), (".", "Is a directory"), ("latin", "not UTF-8")):
        with pytest.raises(SettingsError, match=reason):
            load_migration(tmp_path / path)


def test_a_value_that_contains_itself_is_refused() -> None:
    assert "spec.x: unknown key" in refused(GOOD + "  x: &a {b: *a}\n")


@given(st.text(max_size=60))
def test_any_text_is_answered_with_a_settings_error(more: str) -> None:
    with pytest.raises(SettingsError):
        parse_migration("spec: {}\n" + more, FILE)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("kube-system/agent", True),
        ("lab/agent.v1", True),
        ("agent", False),
        ("lab/Agent", False),
        ("lab/agent/x", False),
        ("lab/$(reboot)", False),
        ("lab/a'b", False),
        ("lab/a\n", False),
    ],
)
def test_a_held_daemonset_is_namespace_and_name(name: str, good: bool) -> None:
    settings = {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "/b"}, "hold_daemonsets": [name, name]}
    if good:
        assert Spec.model_validate(settings).hold_daemonsets == [name]
    else:
        with pytest.raises(ValidationError, match="is not namespace/name"):
            Spec.model_validate(settings)
