"""What a new repository is asked to be, and what is refused before anything is written."""

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from mlops_new.base.errors import MlopsNewError, UsageError
from mlops_new.base.names import NAME, RULE, model_name, suggest_name
from mlops_new.base.processes import ProcessError, require, run
from mlops_new.create import header

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
CREDENTIALS = re.compile(  # NAME:SECRET@, or a signature behind `?`
    r"(?<=://)[^/@]*:[^/]*@|[?&](sig|signature|token|x-amz-signature|password|secret|key)=[^&]+",
    re.IGNORECASE,
)
OWNER = re.compile(r"@[\w-]+(/[\w.-]+)?|[^@\s]+@[^@\s]+")
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz")
KNOWN = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".pq")


SAMPLES = ("synthetic", "rows", "none")


@dataclass(frozen=True)
class CreateRequest:
    """The options of `mlops-new NAME`. `data` and `target` are None for the embedded starter data."""

    path: Path
    data: Path | None = None
    target: str | None = None
    time: str | None = None
    task: str | None = None  # None: inferred from the target's values
    slices: tuple[str, ...] = ()
    sample: str | None = None  # of `SAMPLES`; None: `synthetic`
    tiers: tuple[str, ...] = ()  # LAYER[=TOOL] each
    remote: str = ""
    kit: str = "remote"
    code_owner: str = ""  # as GitHub's CODEOWNERS names people: @name, @organisation/team or an address

    @property
    def folder(self) -> str:
        return self.path.resolve().name

    @property
    def name(self) -> str:
        """Of package, model and tags."""
        return model_name(self.folder)

    @property
    def sample_kind(self) -> str:
        """What data/sample.csv holds: rows of the data only if the owner asked for them."""
        return self.sample or ("synthetic" if self.data else "rows")


def check_request(request: CreateRequest, target: Path) -> None:
    """Raise MlopsNewError for whatever can be known to be wrong before anything is written."""
    if not NAME.fullmatch(request.folder):
        better = suggest_name(request.folder)
        raise MlopsNewError(
            f"{request.folder!r} is not a name: {RULE}.",
            f"Try {better!r}." if better else "",
        )
    check_folder(request.path, target)
    require("git", *(["uv"] if request.data else []))
    _check_identity(target)
    if request.data:
        check_data(request.data, request.target)
        named = [("--target", request.target), ("--time", request.time)]
        header.expect(request.data, [*named, *(("--slice", name) for name in request.slices)])
    elif request.target or request.time or request.slices or request.task or request.sample:
        raise UsageError(
            "--target, --time, --task, --slice and --sample speak of your own data, and there is none.",
            "Add --data FILE, or leave them out for the starter data.",
        )
    if request.code_owner and not OWNER.fullmatch(request.code_owner):
        raise MlopsNewError(
            f"{request.code_owner!r} is nobody whom GitHub could ask for a review.",
            "Give --code-owner as @name, @organisation/team or an e-mail address.",
        )
    check_remote(request.remote)
    _expect_no_workspace_above(target)


def check_folder(path: Path, target: Path) -> None:
    """Raise MlopsNewError if there is something at the place of the repository already. `target`: the path, resolved."""
    if target.exists():
        if not target.is_dir():
            raise MlopsNewError(f"{path} exists and is not a folder.", "Choose another name.")
        inside = sorted(path.name for path in target.iterdir())
        if inside:
            shown = ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")
            raise MlopsNewError(f"{path} is not empty ({shown}).", "Choose another name or empty the folder.")


def check_remote(remote: str) -> None:
    """Raise MlopsNewError for an address that DVC does not know, or that holds credentials."""
    scheme, is_url, _ = remote.partition("://")
    if is_url and scheme not in REMOTES:
        raise MlopsNewError(
            f"DVC has no remote of the kind {scheme!r} ({remote}).",
            f"Known: {', '.join(REMOTES)}, or a folder.",
        )
    if CREDENTIALS.search(remote):
        raise MlopsNewError(
            f"The address of the remote holds credentials ({CREDENTIALS.sub('***@', remote).partition('?')[0]}), "
            "and it would be committed to Git.",
            "Give the address without them. DVC reads them from the environment (AWS_ACCESS_KEY_ID and the like), or from "
            "a file that Git ignores: uv run dvc remote modify --local storage password ...",
        )


def _expect_no_workspace_above(target: Path) -> None:
    """Raise MlopsNewError if a uv workspace would take the repository for its member, and lock it at its own root."""
    for folder in target.parents:
        members, excluded = _workspace(folder / "pyproject.toml")
        inside = target.relative_to(folder)
        if _matches(inside, members) and not _matches(inside, excluded):
            raise MlopsNewError(
                f"{folder / 'pyproject.toml'} is a uv workspace whose members ({', '.join(members)}) include "
                f"{inside.as_posix()}: uv would put the repository's lock there.",
                f'Choose another folder, or write exclude = ["{inside.as_posix()}"] under [tool.uv.workspace] there.',
            )


def _workspace(manifest: Path) -> tuple[list[str], list[str]]:
    """The patterns of members and of excluded folders; none if this declares no workspace."""
    try:
        content = tomllib.loads(manifest.read_text(encoding="utf-8"))
        workspace = content["tool"]["uv"]["workspace"]
        return list(map(str, workspace.get("members", []))), list(map(str, workspace.get("exclude", [])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [], []


def _matches(path: Path, patterns: list[str]) -> bool:
    return any(
        fnmatch(path.as_posix(), pattern.replace("**", "*"))
        if "**" in pattern
        else path.match(pattern) and len(Path(pattern).parts) == len(path.parts)
        for pattern in patterns
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
