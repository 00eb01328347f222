"""Names of repositories and models."""

import re

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def proper(text: str) -> str:
    """The nearest name there is: lower-case letters, digits and single hyphens, a letter first. Empty where there is none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789").rstrip("-")
