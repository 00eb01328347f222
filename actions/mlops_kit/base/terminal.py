"""Text for a terminal or the log of a runner: nothing that others wrote controls either of them."""

import re

# Sequences of ECMA-48: of an operating system's command (a title, a link), of control sequences (colour, cursor), others.
SEQUENCES = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
# Control characters but the line end and the tab, and characters that change the direction of the text.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
COMMAND = re.compile(r"(?m)^(\s*)::")
OLD_COMMAND = "##["  # takes effect anywhere in a line


def plain(text: str) -> str:
    """The text without escape sequences, control characters and changes of direction."""
    return CONTROLS.sub("", SEQUENCES.sub("", text))


def logged(text: str) -> str:
    """As `plain`, for a runner's log: no line is a workflow command, such as `::add-mask::`."""
    return COMMAND.sub(r"\1: :", plain(text)).replace(OLD_COMMAND, "# #[")


def plain_json(text: str) -> str:
    """Printed JSON with the same value, whose characters control neither a terminal nor a runner."""
    escaped = CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return escaped.replace(OLD_COMMAND, "#\\u0023[")
