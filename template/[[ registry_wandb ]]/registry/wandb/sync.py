"""Brings Weights & Biases to the history of `mlops-kit registry sync`, which runs this."""

import argparse
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

SERVICE = "https://api.wandb.ai"
SECONDS = 600  # for one run and its model
WANDB = Path(sys.executable).with_name("wandb")
ON_A_RUNNER = "No WANDB_API_KEY: runs on this machine would be thrown away with it."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    given, key = os.environ.get("MLOPS_HISTORY"), os.environ.get("WANDB_API_KEY")
    if not given:
        parser.error("no MLOPS_HISTORY: run `mlops-kit registry sync`")
    if not key and os.environ.get("GITHUB_ACTIONS"):
        print(ON_A_RUNNER)
        return 0
    return sync(Path(given), uploads=bool(key))


def sync(file: Path, *, uploads: bool) -> int:
    from history import FilesMissing, History

    history = History.read(file)
    folder = history.root / ".mlops/wandb"  # Git ignores it
    for name, place in {"WANDB_DATA_DIR": "staged", "WANDB_CACHE_DIR": "cache"}.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(
            folder / place
        )  # files that wait for an upload must not be cleaned away
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    from runs import Runs

    runs, count = Runs(history, folder), 0
    try:
        for said in runs.write_missing():
            print(f"{said} is written", flush=True)
            count += 1
    except FilesMissing as error:
        sys.exit(str(error))
    waiting = runs.waiting()
    if not uploads:
        print(f"{count} runs written; {len(waiting)} wait for an upload, which needs WANDB_API_KEY")
        return 0
    if waiting:
        answers(os.environ.get("WANDB_BASE_URL") or SERVICE)
    for run, written in waiting.items():
        upload(written)
        runs.note(uploaded=run)
    print(f"{count} runs written, {len(waiting)} uploaded")
    return 0


def answers(server: str) -> None:
    """Asked first, because the client goes on trying for days."""
    try:
        urllib.request.urlopen(server, timeout=10).close()
    except urllib.error.HTTPError:
        return  # it is there, and wants more than a bare question
    except OSError as error:
        sys.exit(f"W&B at {server} does not answer ({error}); the next sync uploads what waits")


def upload(run: Path) -> None:
    """One after the other, because of two runs the later one has the stage."""
    kept = {name: value for name, value in os.environ.items() if name != "WANDB_MODE"}
    try:
        subprocess.run([WANDB, "sync", run], env=kept, timeout=SECONDS, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        sys.exit(f"{run.name} was not uploaded ({error}); the next sync goes on with it")


if __name__ == "__main__":
    sys.exit(main())
