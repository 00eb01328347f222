"""Text as a YAML scalar."""

import json
import re

PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*[A-Za-z0-9_./-]|[A-Za-z0-9_]")
WORD = re.compile(r"true|false|yes|no|on|off|null|[\d.eE+-]+", re.IGNORECASE)


def scalar(text: str) -> str:
    """The text as YAML, quoted if necessary."""
    return (
        text if PLAIN.fullmatch(text) and not WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)
    )
