"""Is the kit that runs the one that mlops.yaml was written for?"""

import re
from pathlib import Path

from mlops_kit import VERSION
from mlops_kit.forge import runner
from mlops_kit.project.contract import FILE


def mismatch(wanted: str | None) -> str:
    """The one thing to do, where another kit is asked for; empty where this one will do."""
    wanted = (wanted or VERSION).removeprefix("v")
    if wanted == VERSION:
        return ""
    if runner.on_runner():
        return f"pin the actions at @v{wanted}, or write `kit: {VERSION}` into {FILE}"
    return f"uv tool install 'mlops-new[kit]=={wanted}'"


def asked_for(folder: Path) -> str | None:
    """By the nearest mlops.yaml, read without a parser: whether it is valid is for the command to say."""
    files = (around / FILE for around in (folder, *folder.parents))
    file = next((one for one in files if one.is_file()), None)
    text = file.read_text(encoding="utf-8", errors="replace") if file else ""
    found = re.search(r"""^kit:\s*["']?(v?\d[\w.]*)""", text, re.MULTILINE)
    return found[1] if found else None
