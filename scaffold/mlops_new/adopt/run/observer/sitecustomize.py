"""Notes which files this Python opens and which machines it connects to; put on PYTHONPATH by `observing`.

Every Python process that is started below has it too: the kernel of a notebook, the workers of a pool.
"""

import os
import sys
from typing import Any


def _note() -> None:
    folder = os.environ.get("MLOPS_NEW_OBSERVED")
    if not folder:
        return
    import json

    log = os.open(f"{folder}/{os.getpid()}.jsonl", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    stage = os.environ.get("DVC_STAGE", "")
    prefixes = {sys.prefix, sys.base_prefix}
    prefixes |= {os.path.realpath(path) for path in prefixes}
    installed = tuple(path + os.sep for path in prefixes)
    seen: set[tuple[str, str]] = set()

    def note(how: str, what: str) -> None:
        if (how, what) not in seen:
            seen.add((how, what))
            os.write(log, (json.dumps([how, what, stage]) + "\n").encode())

    def opened(path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # the number of an open file
        where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # Path.resolve would follow links
        if not where.startswith((*installed, "/proc/", "/dev/", "/sys/")):
            by_mode = isinstance(mode, str) and set(mode) & set("wax+")
            by_flags = mode is None and flags & (os.O_WRONLY | os.O_RDWR)
            note("write" if by_mode or by_flags else "read", where)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        try:
            if event == "open":
                opened(*args)
            elif event == "socket.connect" and isinstance(args[1], tuple):
                host = str(args[1][0])
                if not host.startswith(("127.", "::1", "localhost")):
                    note("connect", host)
        except Exception:  # noqa: BLE001  # the watched program must run as if nobody watched
            return

    sys.addaudithook(hook)


_note()
