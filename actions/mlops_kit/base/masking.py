"""Secrets of the environment and of addresses, taken out of whatever a person, a log, an issue or an event is told."""

import json
import os
import re
from collections.abc import Callable

# What a variable's name holds whose value is a secret.
NAMES = (
    *("TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL", "CONNECTION_STRING", "WEBHOOK"),
    *("_KEY", "APIKEY"),
)
SHORTEST = 8  # characters: to take out what is shorter would garble the text
# User and password in an address; of the web a user alone too, as a token stands for both.
LOGIN = r"""(?<=://)[^\s/@:]+:[^\s/"']+(?=@)|(?:(?<=http://)|(?<=https://))[^\s/@"']+(?=@)"""
# What signs an address, or stands for a login in it: of S3, Google, Azure and whoever takes a token so.
SIGNED = r"""(?i:(?<=[?&;])(?P<name>(?:x-(?:amz|goog)-)?(?:signature|credential|security-token|api-?key|sig|token|access_token)=)[^\s&"'#]+)"""
MASK = "***"


def masked(text: str) -> str:
    return mask()(text)


def mask() -> Callable[[str], str]:
    """A function that masks texts. The environment is read once, however many texts it masks."""
    spellings = sorted(
        {spelling for value in _secrets() for spelling in _spellings(value)}, key=len, reverse=True
    )
    pattern = re.compile("|".join([*map(re.escape, spellings), LOGIN, SIGNED]))
    return lambda text: pattern.sub(lambda match: (match["name"] or "") + MASK, text)


def _secrets() -> list[str]:
    return [value for name, value in os.environ.items() if any(word in name.upper() for word in NAMES)]


def _spellings(value: str) -> set[str]:
    """The value and each of its lines, plain and as JSON: a key of several lines may be printed in part."""
    lines = {line.strip() for line in value.splitlines()} | {value}
    spellings = lines | {json.dumps(line, ensure_ascii=False)[1:-1] for line in lines}
    return {spelling for spelling in spellings if len(spelling) >= SHORTEST}
