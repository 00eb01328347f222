"""Signatures without a key: sigstore, with the identity that GitHub gives the job that registers.

The program runs in an environment of its own, made from pins with hashes each time it is needed: a folder that stays
could be filled by somebody else.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.base import github_env, temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, environment, run_within
from mlops_kit.project.transfer import STALL
from mlops_kit.versions.record import PROVENANCE, SIGSTORE

PINS = Path(__file__).with_name("sigstore.txt")
ISSUER = "https://token.actions.githubusercontent.com"
LONGEST = 300  # characters of its output
SECONDS = 120  # of one call; sigstore asks three servers


def is_available() -> bool:
    """True in a job to which GitHub gives an identity."""
    return bool(github_env.identity())


def sign(statement: bytes) -> bytes:
    """The bundle of signature, certificate and log entry. Raises KitError if sigstore does not sign."""
    with _program(statement) as (program, file):
        bundle = file.with_name(SIGSTORE)
        done = _run([program, "sign", "--bundle", str(bundle), str(file)], file.parent)
        if done.returncode or not bundle.is_file():
            raise KitError(
                f"sigstore did not sign the provenance, and nothing was registered: {_words(done)}",
                "Does the job have `id-token: write`? https://status.sigstore.dev says how sigstore is.",
            )
        return bundle.read_bytes()


def problem(statement: bytes, bundle: bytes, identity: str) -> str:
    """Why the bundle does not prove that the identity signed the statement; empty if it does."""
    with _program(statement) as (program, file):
        file.with_name(SIGSTORE).write_bytes(bundle)
        who = ["--cert-identity", identity, "--cert-oidc-issuer", ISSUER]
        command = [program, "verify", "identity", "--bundle", str(file.with_name(SIGSTORE)), *who, str(file)]
        done = _run(command, file.parent)
    return (
        f"sigstore does not accept {SIGSTORE} as signed by {identity}: {_words(done)}"
        if done.returncode
        else ""
    )


@contextmanager
def _program(statement: bytes) -> Iterator[tuple[str, Path]]:
    """Install sigstore. Yields its path, and the statement as a file outside of the repository."""
    with temporary.folder() as folder:
        (folder / PROVENANCE).write_bytes(statement)
        venv = folder / "venv"
        where = {"VIRTUAL_ENV": str(venv)}
        try:
            run_within(
                ["uv", "--no-config", "venv", "--quiet", "--no-project", str(venv)], folder, stall=STALL
            )
            run_within(
                ["uv", "--no-config", "pip", "sync", "--quiet", "--require-hashes", str(PINS)],
                folder,
                stall=STALL,
                more=where,
            )
        except ProcessError as error:
            raise KitError(
                f"sigstore could not be installed: {error.last_words(3)}",
                "Can uv reach the package index from here?",
            ) from error
        scripts = venv / ("Scripts" if os.name == "nt" else "bin")
        yield str(scripts / "sigstore"), folder / PROVENANCE


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run sigstore with the job's identity, which other programs do not get."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment(**github_env.identity()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KitError(
            f"sigstore gave no answer within {SECONDS} s.", "https://status.sigstore.dev says how it is."
        ) from error


def _words(done: "subprocess.CompletedProcess[str]") -> str:
    """The output of the program in one line."""
    said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
    return said[:LONGEST] or f"it ended with {done.returncode}"
