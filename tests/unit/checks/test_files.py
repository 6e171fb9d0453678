from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks import files
from cri_switch.checks.node_state import check_node_state
from tests.unit.checks.good_node import GOOD

CONFIG, DAEMON_JSON = "/var/lib/kubelet/config.yaml", "/etc/docker/daemon.json"
_PURE = ("configure_containerd", "crictl_yaml", "in_yaml", "in_json")
_REMEMBERED = (files._set_twice, files._edited_crictl_yaml, files._edited_reads_hosts_toml)


def _forget() -> None:
    for each in _REMEMBERED:
        each.cache_clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each of the pure functions was called."""
    count = Counter[str]()

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            count[name] += 1
            return real(*given)

        return call

    for name in _PURE:
        monkeypatch.setattr(files, name, counted(name, getattr(files, name)))
    _forget()
    yield count
    _forget()


def test_equal_files_of_many_nodes_are_tried_once(asked: Counter[str]) -> None:
    twice = {CONFIG: "a: 1\na: 2\n", DAEMON_JSON: '{"debug": true}'}
    state = replace(GOOD, config_toml="version = 2\n", crictl_yaml="timeout: 2\n", settings=twice)
    for node in ("w1", "w2", "w3"):
        (found,) = check_node_state(replace(state, node=node))
        assert (found.name, found.node) == ("DuplicateKey", node)
    assert asked == dict.fromkeys(_PURE, 1)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"config_toml": "version = 2\n# another\n"}, "configure_containerd"),
        ({"containerd_candidate": "1.6.20~ds1-1+deb12u1"}, "configure_containerd"),
        ({"daemon_json": '{"registry-mirrors": ["http://r:5000"]}'}, "configure_containerd"),
        ({"crictl_yaml": "timeout: 3\n"}, "crictl_yaml"),
    ],
)
def test_another_file_or_version_is_tried_for_itself(change: dict[str, Any], name: str, asked: Counter[str]) -> None:
    state = replace(GOOD, config_toml="version = 2\n", crictl_yaml="timeout: 2\n")
    check_node_state(state)
    check_node_state(replace(state, **change))
    assert asked[name] == 2


def test_what_is_not_understood_is_told_of_every_node() -> None:
    for node in ("w1", "w2"):
        found = check_node_state(replace(GOOD, node=node, config_toml="a = [", crictl_yaml="- a\n"))
        assert {(each.name, each.node) for each in found} == {("FileNotUnderstood", node)}
        assert len(found) == 2
