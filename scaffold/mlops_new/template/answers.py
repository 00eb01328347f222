"""The file in which Copier records the answers that a project was made with."""

import re
from pathlib import Path

ANSWERS = ".copier-answers.yml"


def record_origin(project: Path, tag: str, origin: str) -> None:
    """Write where the template is published into the answers, instead of where it was unpacked."""
    file = project / ANSWERS
    lines = f"_commit: {tag}\n_src_path: {origin}\n"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"^_src_path:.*\n(?: .*\n)*", lambda _: lines, text, count=1, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8", newline="\n")
