"""Small files that are written whole or not at all."""

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write in one step, so that a killed process or a full disk leaves the file as it was. Makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)
