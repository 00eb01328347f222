"""What a command has to say beside its result, once: for instance what it left out because it could not be read.

The library notes it where it finds it, and the command line prints it when the command ends.
"""

_noted: dict[str, None] = {}


def note(text: str) -> None:
    """Keep a sentence for the end of the command; the same one is said once."""
    _noted.setdefault(text)


def take() -> list[str]:
    """The sentences so far, in their order; they are not said again."""
    sentences = list(_noted)
    _noted.clear()
    return sentences
