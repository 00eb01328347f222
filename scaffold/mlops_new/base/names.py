"""Names of repositories and models."""

import re
import unicodedata

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
RULE = "lower-case letters, digits, single hyphens or underscores, a letter first"


def model_name(folder: str) -> str:
    """The name of package, model and tags for a folder of this name: underscores become hyphens."""
    return folder.replace("_", "-")


def suggest_name(text: str) -> str:
    """The most similar valid name; empty if there is none."""
    ascii_text = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).lstrip("-0123456789").rstrip("-")
