"""Hostile words, values and content reach a program as they are: no shell takes a part of them for its own."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cri_switch.node.command import Command, plain, sudo

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
HOSTILE = ("$(touch /tmp/x)", "`id`", "a'b", 'a"b', "a\nb", "; reboot", "&& true", "-rf", "*", "~", "$HOME", "\\", "")


def heard(command: Command) -> list[str]:
    """What the program got, by way of a real shell."""
    done = subprocess.run(["sh", "-c", command.shell()], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4))
def test_any_words(words: list[str]) -> None:
    assert heard(plain("printf", "%s\\0", *words)) == words


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words(word: str) -> None:
    assert heard(plain("printf", "%s\\0", word, word)) == [word, word]
    assert shlex.split(sudo("cat", "--", word).shell()) == ["LC_ALL=C", "sudo", "-n", "--", "cat", "--", word]


@settings(max_examples=30, deadline=None)
@given(WORDS)
def test_any_value_of_the_environment(value: str) -> None:
    command = Command(("sh", "-c", 'printf "%s\\0" "$CNI_ARGS"'), sudo=False, env=(("CNI_ARGS", value),))
    assert heard(command) == [value]
    as_root = Command(("true",), env=(("CNI_ARGS", value),))
    assert shlex.split(as_root.shell()) == ["LC_ALL=C", "sudo", "-n", f"CNI_ARGS={value}", "--", "true"]
