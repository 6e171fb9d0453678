"""The images of a container engine."""

from __future__ import annotations

from cri_switch.rehearsal.box import EngineRefuses
from cri_switch.rehearsal.images import Image, canonical, image, pullable


class ImageStore:
    """`images` are by id."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}

    def find_image(self, name: str) -> Image | None:
        """By name or id."""
        wanted = canonical(name)
        for one in self.images.values():
            if name == one.id or any(canonical(tag) == wanted for tag in one.tags):
                return one
        return None

    def pull(self, name: str) -> Image:
        """From the store, else from a registry; EngineRefuses."""
        found = self.find_image(name)
        if found is None:
            if not pullable(name):
                raise EngineRefuses("ErrImagePull", f"failed to pull and unpack image {name!r}: not found")
            found = image(name)
            self.add_image(found)
        return found

    @staticmethod
    def pull_anyway(name: str) -> Image:
        """The image of a name, as if it had been pulled while it could be."""
        return image(name)

    def add_image(self, one: Image) -> None:
        """Put an image into the store."""
        self.images[one.id] = one
