"""Write what DVC writes for a tracked file, without starting DVC (1.5 s a command).

The pointer and the place in the cache are DVC 3's documented formats; a test lets DVC read both.
"""

import hashlib
import shutil
from pathlib import Path


def pointer(file: Path) -> tuple[str, str]:
    """The file's md5 and the text of its `.dvc` file."""
    with file.open("rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    text = f"outs:\n- md5: {md5}\n  size: {file.stat().st_size}\n  hash: md5\n  path: {file.name}\n"
    return md5, text


def track(repository: Path, file: Path) -> None:
    """Write the `.dvc` file beside the file, and copy the file into the repository's cache."""
    md5, text = pointer(file)
    beside = file.with_name(file.name + ".dvc")
    if not beside.exists():
        beside.write_text(text, encoding="utf-8", newline="\n")
    cached = repository / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, cached)
    cached.chmod(0o444)
