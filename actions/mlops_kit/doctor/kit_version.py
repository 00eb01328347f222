"""Is the kit that runs the one that mlops.yaml was written for?"""

import re
from pathlib import Path

from mlops_kit import VERSION
from mlops_kit.forge import runner
from mlops_kit.project.contract import FILE


def mismatch(required: str | None) -> str:
    """What to do if mlops.yaml requires another version of the kit; empty if this one fits."""
    required = (required or VERSION).removeprefix("v")
    if required == VERSION:
        return ""
    if runner.on_runner():
        return f"pin the actions at @v{required}, or write `kit: {VERSION}` into {FILE}"
    return f"uv tool install 'mlops-new[kit]=={required}'"


def asked_for(folder: Path) -> str | None:
    """The kit version that the nearest mlops.yaml requires. It is read without a parser: the command reports a bad file."""
    files = (around / FILE for around in (folder, *folder.parents))
    file = next((one for one in files if one.is_file()), None)
    text = file.read_text(encoding="utf-8", errors="replace") if file else ""
    match = re.search(r"""^kit:\s*["']?(v?\d[\w.]*)""", text, re.MULTILINE)
    return match[1] if match else None
