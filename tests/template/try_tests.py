"""Runs the tests of many repositories in one process, so that the libraries are imported once.

`python try_tests.py` with the Python of a generated environment. stdin: JSON lines [folder, test, ...];
stdout: for each a JSON line [exit code of pytest, what it said].
"""

import contextlib
import importlib
import io
import json
import os
import sys

import pytest

# the whole reason on pytest's line; threads that wait for each other on a busy machine take minutes
os.environ |= {"COLUMNS": "300", "OMP_NUM_THREADS": "1"}
for slow in ("pandera.polars", "sklearn.ensemble"):
    importlib.import_module(slow)

sys.dont_write_bytecode = True
PATHS = list(sys.path)


def outcome(folder: str, *tests: str) -> tuple[int, str]:
    os.chdir(folder)
    importlib.invalidate_caches()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "-rA", "--tb=short", *tests])
    theirs = [n for n, m in sys.modules.items() if (getattr(m, "__file__", None) or "").startswith(folder)]
    for name in theirs:
        del sys.modules[name]
    sys.path[:] = PATHS
    return int(code), said.getvalue()


for line in sys.stdin:
    print(json.dumps(outcome(*json.loads(line))), flush=True)
