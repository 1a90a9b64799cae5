"""What a result's format cannot hold is settled before the network runs: transparency, and too long sides."""

from __future__ import annotations

from collections.abc import Sequence

from gpen_fast import plugins
from gpen_fast.errors import PictureError
from gpen_fast.image.flatten import flattened, is_transparent
from gpen_fast.run.job import PictureSource
from gpen_fast.run.plan import Item
from gpen_fast.settings import OutputOptions, suffix_of
from gpen_fast.types import Frame


class Fit:
    """Makes each picture of a plan one that its target's format can hold. Safe to use from several threads.

    Args:
        items: The plan's items in the order of the run's sources.
        output: `flatten` names the colour for transparent pictures.
        aligned: Results have the network's size, whatever the picture's.
    """

    def __init__(self, items: Sequence[Item], output: OutputOptions, *, aligned: bool) -> None:
        self._items = items
        self._ground = output.ground
        self._aligned = aligned
        self._changed: set[int] = set()

    def __call__(self, source: PictureSource, frame: Frame) -> Frame:
        """Checks a picture that was read.

        Args:
            source: Where it comes from.
            frame: The picture.

        Returns:
            The picture; on the colour, if it is transparent and a colour was named.

        Raises:
            PictureError: The format of its result cannot hold it.
        """
        name = suffix_of(self._items[source.index].target)
        facts = plugins.facts("save")[name]
        if facts.most_side and not self._aligned and max(frame.width, frame.height) > facts.most_side:
            raise PictureError(
                f"{frame.width}x{frame.height} pixels: {name} holds {facts.most_side} a side. Try --format png."
            )
        if (facts.alpha and self._ground is None) or not is_transparent(frame):
            return frame
        if self._ground is None:
            able = " or ".join(each for each, its in plugins.facts("save").items() if its.alpha)
            raise PictureError(
                f"is transparent in places, which {name} cannot hold. Try --flatten white, or --format {able}."
            )
        self._changed.add(source.index)
        return flattened(frame, self._ground)

    def changed(self, source: PictureSource) -> bool:
        """Whether the picture was put on the colour: its file is then no copy of it."""
        return source.index in self._changed
