"""Names of repositories and models."""

import re
import unicodedata

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RULE = "lower-case letters, digits and single hyphens, a letter first"


def suggest_name(text: str) -> str:
    """The most similar valid name; empty if there is none."""
    ascii_text = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).lstrip("-0123456789").rstrip("-")
