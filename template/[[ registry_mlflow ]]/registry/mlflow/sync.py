"""Brings MLflow to the history of `mlops-kit registry sync`, which runs this."""

import argparse
import fcntl
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from history import History

SAYS_NO = 10  # MLflow says otherwise than the tags
QUIET = {  # before MLflow is imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_UV_AUTO_DETECT": "false",  # it would take today's lock for that of the version
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a server that is down is asked again by the next sync
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--server", default="", help="address, where MLFLOW_TRACKING_URI is not set"
    )
    server = os.environ.get("MLFLOW_TRACKING_URI") or parser.parse_args().server
    given = os.environ.get("MLOPS_HISTORY")
    if not given:
        parser.error("no MLOPS_HISTORY: run `mlops-kit registry sync`")
    if not server and os.environ.get("GITHUB_ACTIONS"):
        print("No MLFLOW_TRACKING_URI: a file on this runner would be thrown away with it.")
        return 0
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    return sync(Path(given), server)


def sync(file: Path, server: str) -> int:
    import mlflow
    from history import FilesMissing, History
    from mlflow.exceptions import MlflowException

    history = History.read(file)
    folder = history.root / ".mlops/mlflow"  # Git ignores it
    where = server or f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(where)
    try:
        if server:
            return bring(history, None)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:  # a file has one writer; the second sync waits
            fcntl.flock(lock, fcntl.LOCK_EX)
            return bring(history, (folder / "artifacts").as_uri())
    except (MlflowException, OSError) as error:
        sys.exit(f"MLflow at {where} failed: {str(error).splitlines()[0]}")
    except FilesMissing as error:
        sys.exit(str(error))


def bring(history: "History", artifacts: str | None) -> int:
    """Says what was done and what differs, and returns the exit code."""
    import aliases
    from mirror import Mirror

    mirror = Mirror(history, artifacts)
    written = mirror.write_missing(lambda line: print(line, flush=True))
    for version in history.unknown:
        print(
            f"{version} has no record: `mlops-kit register` did not make it, so MLflow is not told"
        )
    differences = list(aliases.follow(mirror))
    for line in differences:
        print(f"DIFFERS: {line}")
    if differences:
        print(
            "Left as it is. Which one is right? `mlops-kit promote`, or put the alias back in MLflow."
        )
    print(f"{written} written to MLflow, {len(history.trained) - written} there before")
    return SAYS_NO if differences else 0


if __name__ == "__main__":
    sys.exit(main())
