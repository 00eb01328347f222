"""How a function tells that a step of its work begins."""

from collections.abc import Callable

Progress = Callable[[str], None]
