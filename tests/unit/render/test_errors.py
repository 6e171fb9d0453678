from __future__ import annotations

import pickle

from cri_switch.render.errors import RenderError


def test_says_where_and_what_next() -> None:
    error = RenderError("/etc/x", 3, "broken", next_step="cat /etc/x")
    assert str(error) == "/etc/x:3: broken\nnext: cat /etc/x"
    assert str(RenderError("/etc/x", 0, "broken")) == "/etc/x: broken"
    assert error.exit_code == 3


def test_survives_pickle() -> None:
    again = pickle.loads(pickle.dumps(RenderError("/etc/x", 3, "broken", next_step="cat /etc/x")))  # noqa: S301
    assert (str(again), again.path, again.line) == ("/etc/x:3: broken\nnext: cat /etc/x", "/etc/x", 3)
