"""What all unit tests share. Property tests are judged by what they find, never by a busy machine's time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.unprivileged import open_directory

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody may search."""
    with open_directory() as found:
        yield found
