"""Copier without what nobody asked for, a third of the time that a new repository would take.

Asking: who runs `mlops-new` has answered all questions, and the libraries that put them - questionary,
prompt_toolkit, Pygments - are a third of importing Copier. Compiling what has just been compiled. And
reading YAML in Python where LibYAML is there.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from mlops_new.base import temporary

ASKING = ("questionary", "questionary.prompts.common", "prompt_toolkit.lexers", "pygments.lexers.data")


def copier() -> ModuleType:
    """Imports it, which is not for whoever has no use for it: half of all the time there is."""
    with temporary.held_back(), _stand_ins():  # held back: pydantic, building a class, would swallow Ctrl-C
        import copier
    return copier


@contextmanager
def hurried() -> Iterator[None]:
    """Lets Jinja remember, while Copier renders, the texts that it has compiled, and PyYAML use LibYAML.

    Copier hands over each part of each path and each answer anew: 850 texts, 120 of them different. What is
    no text is Jinja's TypeError, a list too, and that is what Copier expects.
    """
    import yaml
    from jinja2 import Environment

    environment: Any = Environment
    library: Any = yaml
    compiling, loader = environment.from_string, library.SafeLoader
    environment.from_string = lru_cache(maxsize=None)(compiling)
    library.SafeLoader = getattr(yaml, "CSafeLoader", loader)
    try:
        yield
    finally:
        environment.from_string, library.SafeLoader = compiling, loader


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
