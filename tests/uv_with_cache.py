"""uv as the launcher of the kit finds it in tests: with this machine's cache, where a real job downloads everything."""

import os
import shutil
import subprocess
from pathlib import Path

UV = """#!/bin/sh
if [ "$1 $2" = "--no-config --cache-dir" ]; then
    shift 3
    set -- --no-config --cache-dir '{cache}' "$@"
fi
exec '{uv}' "$@"
"""


def put(folder: Path) -> str:
    """Write such a `uv` into the folder. Returns a PATH that has it first."""
    uv = shutil.which("uv")
    assert uv and not Path(uv).is_relative_to(folder)
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    (folder / "uv").write_text(UV.format(uv=uv, cache=cache.stdout.strip()))
    (folder / "uv").chmod(0o755)
    return os.pathsep.join((str(folder), os.environ["PATH"]))
