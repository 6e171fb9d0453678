from __future__ import annotations

from cri_switch.render.toml_lines import edit_lines

TEXT = """top = 1
[b."x.y"] # comment
  k = "v"
  l = [
    1,
  ]
[a]
[[a.list]]
k = 2
"""


def test_set_insert_append_remove() -> None:
    wanted = {("b", "x.y", "k"): "w", ("a", "n"): True, ("c", "d.e", "f"): ["g"], ("top",): 2}
    assert edit_lines(TEXT, wanted, [("b", "x.y", "gone"), ("top2",)]) == (
        """top = 2
[b."x.y"] # comment
  k = "w"
  l = [
    1,
  ]
[a]
  n = true
[[a.list]]
k = 2

[c."d.e"]
  f = ["g"]
"""
    )


def test_removes_only_in_its_own_table() -> None:
    assert edit_lines("[a]\nk = 1\n[b]\nk = 1\n", {}, [("b", "k")]) == "[a]\nk = 1\n[b]\n"
