"""Runs the kit's command as a process that has Python and the libraries already: half of the time that a command takes.

A process that imports everything once and does nothing else is forked for each command, so each has its own folder,
environment, signals and exit code, and no module keeps what another command left in it. `python forking.py SOCKET
FOLDER` is that process; it ends when its stdin does.
"""

import atexit
import functools
import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

LIBRARIES = ("numpy", "pyarrow.compute", "pyarrow.csv", "pyarrow.json", "pyarrow.parquet", "yaml")
OF_THE_START = ("LANG", "LC_", "OPENBLAS_", "PYTHON", "TZ")  # what Python and libraries read once


def can_run(environment: Mapping[str, str]) -> bool:
    """False if a new process would read something of this environment when it starts."""
    return hasattr(os, "fork") and not any(name.startswith(OF_THE_START) for name in environment)


def run(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str], actions: Path, seconds: float
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `python -m mlops_kit WORDS`."""
    with tempfile.TemporaryDirectory(prefix="forked-") as folder, socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(seconds)
        asked.connect(_started(actions))
        out, err = Path(folder) / "stdout", Path(folder) / "stderr"
        request = [[*words], str(cwd), dict(environment), str(out), str(err)]
        asked.sendall(json.dumps(request).encode() + b"\n")
        code = int(asked.makefile().readline())
        return code, out.read_text("utf-8"), err.read_text("utf-8")


@functools.cache
def _started(actions: Path) -> str:
    """The address of a process that listens; it ends with this one."""
    address = f"{tempfile.mkdtemp(prefix='forks-')}/socket"
    process = subprocess.Popen(
        [sys.executable, __file__, address, actions],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    )
    atexit.register(process.communicate)  # closes its stdin
    assert process.stdout
    assert process.stdout.readline() == b"listens\n"
    return address


# ---- in the process that is forked ----


def listen(address: str, actions: str) -> None:
    sys.path[0] = actions
    gc.set_threshold(100_000)  # as `python -m mlops_kit` has it
    for name in LIBRARIES:
        import_module(name)
    main = import_module("mlops_kit.cli.main")
    for name, group in main.GROUPS.items():
        import_module(f"mlops_kit.cli.commands.{group}.{name.replace('-', '_')}")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what is forked here
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("listens", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return shutil.rmtree(Path(address).parent)
            asked, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(asked)
            asked.close()


def _answer(asked: socket.socket) -> None:
    """Runs one command and tells its exit code, in a process that waits for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    words, cwd, environment, out, err = json.loads(asked.makefile().readline())
    child = os.fork()
    if child == 0:
        asked.close()
        _command(words, cwd, environment, out, err)
    _, status = os.waitpid(child, 0)
    asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _command(words: list[str], cwd: str, environment: dict[str, str], out: str, err: str) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, (path, how) in enumerate(((os.devnull, "rb"), (out, "wb"), (err, "wb"))):
        with Path(path).open(how) as file:
            os.dup2(file.fileno(), number)
    sys.path.insert(0, cwd)
    sys.argv = ["mlops_kit", *words]
    code: object = 0
    try:
        runpy.run_module("mlops_kit", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  # as Python does at its end
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what Python calls at its end; it has no public name
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    listen(sys.argv[1], sys.argv[2])
