"""Copier without the libraries that ask its questions.

Who runs `mlops-new` has answered them all. What asks them - questionary, prompt_toolkit, Pygments - is a
third of the time that importing Copier takes, and that is half of the time a new repository takes.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from mlops_new import aside

ASKING = ("questionary", "questionary.prompts.common", "prompt_toolkit.lexers", "pygments.lexers.data")


def copier() -> ModuleType:
    """Imports it, which is not for whoever has no use for it: half of all the time there is."""
    with aside.held_back(), _stand_ins():  # held back: pydantic, building a class, would swallow Ctrl-C
        import copier
    return copier


@dataclass
class Choice:
    """Of a question: questionary's own as far as Copier checks an answer against it."""

    title: str
    value: object
    disabled: str = ""


class _StandIn(ModuleType):
    Choice = Choice

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@contextmanager
def _stand_ins() -> Iterator[None]:
    """While Copier is imported; whoever imports the libraries afterwards gets them."""
    absent = {name: _StandIn(name) for name in ASKING if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)
