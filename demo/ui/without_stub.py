"""How a component of the page's own is made a class."""

from abc import ABCMeta
from typing import Any

from gradio.component_meta import ComponentMeta


class WithoutStub(ComponentMeta):
    """Makes a component class as Gradio does, but writes no stub file into the source tree."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any]
    ) -> "WithoutStub":
        """Leaves out what Gradio's own does beyond making the class."""
        return ABCMeta.__new__(mcs, name, bases, attributes)
