"""Names of repositories and models."""

import re
import unicodedata

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RULE = "lower-case letters, digits and single hyphens, a letter first"


def proper(text: str) -> str:
    """The nearest name there is, without accents; empty where there is none."""
    bare = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", bare).lstrip("-0123456789").rstrip("-")
