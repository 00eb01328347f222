"""What a new repository is asked to be, and what is refused before anything is written."""

import re
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base.errors import MlopsNewError, UsageError
from mlops_new.base.names import NAME, RULE, suggest_name
from mlops_new.base.processes import ProcessError, require, run

REMOTES = (
    "s3",
    "gs",
    "azure",
    "ssh",
    "http",
    "https",
    "webdav",
    "webdavs",
    "gdrive",
    "oss",
    "hdfs",
    "webhdfs",
)
OWNER = re.compile(r"@[\w-]+(/[\w.-]+)?|[^@\s]+@[^@\s]+")
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz")
KNOWN = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".pq")


@dataclass(frozen=True)
class CreateRequest:
    """The options of `mlops-new NAME`. `data` and `target` are None for the embedded starter data."""

    path: Path
    data: Path | None = None
    target: str | None = None
    time: str | None = None
    task: str | None = None  # None: inferred from the target's values
    slices: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()  # LAYER[=TOOL] each
    remote: str = ""
    kit: str = "remote"
    code_owner: str = ""  # as GitHub's CODEOWNERS names people: @name, @organisation/team or an address

    @property
    def name(self) -> str:
        return self.path.resolve().name


def check_request(request: CreateRequest, target: Path) -> None:
    """Raise MlopsNewError for whatever can be known to be wrong before anything is written."""
    if not NAME.fullmatch(request.name):
        better = suggest_name(request.name)
        raise MlopsNewError(
            f"{request.name!r} is not a name: {RULE}.",
            f"Try {better!r}." if better else "",
        )
    if target.exists():
        if not target.is_dir():
            raise MlopsNewError(f"{request.path} exists and is not a folder.", "Choose another name.")
        inside = sorted(path.name for path in target.iterdir())
        if inside:
            shown = ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")
            raise MlopsNewError(
                f"{request.path} is not empty ({shown}).", "Choose another name or empty the folder."
            )
    require("git", *(["uv"] if request.data else []))
    _check_identity(target)
    if request.data:
        check_data(request.data, request.target)
    elif request.target or request.time or request.slices or request.task:
        raise UsageError(
            "--target, --time, --task and --slice speak of your own data, and there is none.",
            "Add --data FILE, or leave them out for the starter data.",
        )
    if request.code_owner and not OWNER.fullmatch(request.code_owner):
        raise MlopsNewError(
            f"{request.code_owner!r} is nobody whom GitHub could ask for a review.",
            "Give --code-owner as @name, @organisation/team or an e-mail address.",
        )
    scheme, is_url, _ = request.remote.partition("://")
    if is_url and scheme not in REMOTES:
        raise MlopsNewError(
            f"DVC has no remote of the kind {scheme!r} ({request.remote}).",
            f"Known: {', '.join(REMOTES)}, or a folder.",
        )


def _check_identity(target: Path) -> None:
    nearest = next(parent for parent in target.parents if parent.is_dir())
    try:
        run(["git", "var", "GIT_COMMITTER_IDENT"], nearest)
        run(["git", "var", "GIT_AUTHOR_IDENT"], nearest)
    except ProcessError as error:
        raise MlopsNewError(
            "Git does not know who you are, so it cannot make the first commit.",
            'Tell it: git config --global user.name "Your Name"; '
            "git config --global user.email you@example.com",
        ) from error


def check_data(data: Path, target: str | None) -> None:
    """Raise MlopsNewError if this cannot be a data file, UsageError if no target is named."""
    if not data.is_file():
        what = "is a folder" if data.is_dir() else "does not exist"
        raise MlopsNewError(f"The data file {data} {what}.", "Give --data a CSV or Parquet file.")
    if data.suffix.lower() in PACKED:
        raise MlopsNewError(
            f"{data.name} is packed ({data.suffix}).", "Unpack it, and give --data what was inside."
        )
    if data.suffix.lower() not in KNOWN:
        raise MlopsNewError(
            f"{data.name} is neither CSV nor Parquet by its ending {data.suffix!r}.",
            f"Convert it, or rename it to one of {', '.join(KNOWN)}.",
        )
    if data.stat().st_size == 0:
        raise MlopsNewError(f"{data} is empty.", "Give --data a file with a header and rows.")
    if not target:
        raise UsageError("--data needs --target: the column to predict.")
