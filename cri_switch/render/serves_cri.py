"""Whether a config.toml lets containerd serve CRI, and the least one that does."""

from __future__ import annotations

import tomllib

from cri_switch.render.containerd_schema import CRI, CRI_NAMES


def serves_cri(text: str | None) -> bool:
    """Whether it can be read and does not disable the CRI plugin; no text is no."""
    if text is None:
        return False
    try:
        disabled = tomllib.loads(text).get("disabled_plugins", [])
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(disabled, list) and not CRI_NAMES.intersection(disabled)


def minimal_config(sandbox_image: str, bin_dir: str, conf_dir: str) -> str:
    """Enough to list, stop and remove pods, their networks included."""
    image = f'sandbox_image = "{sandbox_image}"\n' if sandbox_image else ""
    return (
        "# Written by cri-switch, to remove containerd's pods\nversion = 2\n"
        f'[plugins."{CRI}"]\n{image}'
        f'[plugins."{CRI}".cni]\nbin_dir = "{bin_dir}"\nconf_dir = "{conf_dir}"\n'
    )
