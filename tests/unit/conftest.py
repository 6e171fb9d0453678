"""Property tests are judged by what they find, never by how long a busy machine takes for an example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")
