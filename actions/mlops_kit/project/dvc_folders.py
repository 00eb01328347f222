"""Where DVC keeps the configuration of the machine and of the person, as its own `platformdirs` finds them."""

import os
import sys
from pathlib import Path


def machine_and_person() -> list[Path]:
    """The folders of the files `config`, the machine's first. Some may not exist."""
    machine, person = _of_platform()
    given = (os.environ.get("DVC_SYSTEM_CONFIG_DIR"), os.environ.get("DVC_GLOBAL_CONFIG_DIR"))
    return [Path(given[0]) if given[0] else machine, Path(given[1]) if given[1] else person]


def _of_platform() -> tuple[Path, Path]:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  # Path.home() fails where there is none
    if sys.platform == "win32":
        program_data = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData"))
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        return program_data / "iterative/dvc", local / "iterative/dvc"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/dvc"), home / "Library/Application Support/dvc"
    machine = os.environ.get("XDG_CONFIG_DIRS", "").partition(os.pathsep)[0] or "/etc/xdg"
    return Path(machine) / "dvc", Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "dvc"
