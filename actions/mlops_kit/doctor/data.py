"""DVC: the remote, data that was not pushed, the lock file, and calls of `dvc gc`."""

import json
import os
from pathlib import Path
from typing import Any

from mlops_kit.alerts import heartbeat
from mlops_kit.base.errors import KitError
from mlops_kit.doctor.diagnosis import Diagnosis, Patient, Unknown, ask, contract_of
from mlops_kit.forge import runner
from mlops_kit.new_data import age
from mlops_kit.project.lock import LOCK, object_path
from mlops_kit.project.repository import Remote, Repository
from mlops_kit.training import freshness, train
from mlops_kit.versions import version

LOOK = "mlops-kit watch-data && mlops-kit train && mlops-kit gate && mlops-kit register"
LONGEST_WITHOUT_LOOK = 7  # days; the generated schedule looks every day


def remote(patient: Patient) -> Diagnosis:
    """Check that DVC has a remote that answers and is writable."""
    dvc_remote = _remote(patient)
    folder = _folder(patient.repository, dvc_remote)
    if folder is None:
        _status(patient)
        return Diagnosis("dvc remote", "ok", f"{dvc_remote.name} can be read ({dvc_remote.shown}).")
    if runner.on_runner():
        says = f"{dvc_remote.name} is the folder {folder}, which does not exist in CI."
        return Diagnosis("dvc remote", "fail", says, "uv run dvc remote modify NAME url s3://BUCKET/PATH")
    existing = folder if folder.exists() else folder.parent  # DVC makes the folder at the first push
    if not existing.is_dir() or not os.access(existing, os.R_OK | os.W_OK):
        says = f"The folder of the remote {dvc_remote.name}, {folder}, does not exist or is not writable."
        return Diagnosis("dvc remote", "fail", says, "uv run dvc remote list")
    return Diagnosis(
        "dvc remote", "ok", f"{dvc_remote.name} is a writable folder. Only this machine can reach it."
    )


def pushed_data(patient: Patient) -> Diagnosis:
    """Check that the remote has all data that Git refers to."""
    _remote(patient)
    missing = _paths(_status(patient).get("not_in_remote"))
    if not missing:
        return Diagnosis("pushed data", "ok", "The remote has all data that Git refers to.")
    says = f"{len(missing)} files are not in the remote: {', '.join(missing[:5])}."
    return Diagnosis("pushed data", "fail", says, f"{contract_of(patient).commands.dvc} push")


def lock(patient: Patient) -> Diagnosis:
    """Check that dvc.lock fits data, code and parameters. A stale lock file is a warning: the next training renews it."""
    repository, contract = patient.repository, contract_of(patient)
    start = train.starting_point(repository, contract)
    if start is None:
        return Diagnosis("lock", "warn", f"There is no {LOCK}: nothing was trained yet.", "mlops-kit train")
    result = freshness.of(repository, contract, start.lock, start.revision)
    if result.is_fresh:
        return Diagnosis("lock", "ok", f"Up to date: the inputs are those of {start.name}.")
    return Diagnosis(
        "lock", "warn", f"Stale, compared with {start.name}: {'; '.join(result.lines)}.", "mlops-kit train"
    )


def versions_kept(patient: Patient) -> Diagnosis:
    """Check that nothing deletes the models of versions."""
    repository, contract = patient.repository, contract_of(patient)
    if risky := _gc_calls(repository):
        says = f"`dvc gc` without --all-tags deletes the models of versions: {', '.join(risky[:3])}."
        return Diagnosis("versions kept", "fail", says, "Use `mlops-kit gc`, which keeps every tag.")
    newest, dvc_remote = version.newest(repository, contract.model), repository.remote
    folder = _folder(repository, dvc_remote) if dvc_remote else None
    if newest is None or folder is None:
        says = "No script calls `dvc gc`. Only `mlops-kit gc` keeps the models of versions."
        return Diagnosis("versions kept", "ok", says)
    committed = repository.lock(newest.tag)
    artifacts = [committed.out(path) for path in contract.artifacts] if committed else []
    gone = [one.path for one in artifacts if one and not object_path(folder, one.md5).exists()]
    if gone:
        says = f"{newest.tag}: {', '.join(gone)} was deleted from the remote."
        mend = f"git checkout {newest.tag} && {contract.commands.dvc} repro && {contract.commands.dvc} push"
        return Diagnosis("versions kept", "fail", says, mend)
    return Diagnosis("versions kept", "ok", f"The model of {newest.tag} is in the remote.")


def cadence(patient: Patient) -> Diagnosis:
    """Check that a run looked for new data or trained in the last days."""
    looked = age.clock(patient.repository)
    file = heartbeat.schedule_file(patient.repository)
    mend = f"gh workflow run {file}" if file and patient.repository.slug else LOOK
    if looked is None:
        raise Unknown("No run has trained a version or looked for new data yet.", mend)
    days = (patient.now - looked).days
    says = f"On {looked:%Y-%m-%d} the newest version was up to date with the data"
    if days > LONGEST_WITHOUT_LOOK:
        return Diagnosis(
            "cadence", "warn", f"{says}. Nothing has looked for new data in the {days} days since.", mend
        )
    return Diagnosis("cadence", "ok", f"{says}.")


def _remote(patient: Patient) -> Remote:
    dvc_remote = patient.repository.remote
    if dvc_remote is None:
        raise Unknown(
            "There is no DVC remote: nobody else can get data and models, and CI trains on the sample.",
            "uv run dvc remote add --default storage URL && uv run dvc push",
        )
    return dvc_remote


def _status(patient: Patient) -> dict[str, Any]:
    """The data status from the project's own DVC, which has the plug-ins and credentials that it takes."""
    dvc = contract_of(patient).commands.dvc
    try:
        status = json.loads(ask(patient, dvc, "data", "status", "--not-in-remote", "--json") or "{}")
    except ValueError as error:
        raise KitError(f"`{dvc} data status --json` did not write JSON.") from error
    return status if isinstance(status, dict) else {}


def _paths(content: Any) -> list[str]:
    items = content if isinstance(content, list) else []
    return [str(one.get("path") if isinstance(one, dict) else one) for one in items]


def _folder(repository: Repository, remote: Remote) -> Path | None:
    """The folder of a remote that is a folder, else None. DVC reads a relative path from its configuration's folder."""
    url = remote.url.removeprefix("file://")
    return None if "://" in url else repository.root / ".dvc" / Path(url).expanduser()


def _gc_calls(repository: Repository) -> list[str]:
    """Lines of scripts and workflows; documentation, and a copy of the kit, may mention what they warn of."""
    search = ("-E", r"dvc gc\b", "--", ":!*.md", ":!*.ipynb", ":!.github/mlops-kit/")
    if not repository.asks("grep", "--quiet", *search):  # Git ends with 1 where it finds nothing
        return []
    listed = repository.git("grep", "-n", *search)
    lines = [line.split(":", 2) for line in listed.splitlines()]
    calls = [one for one in lines if len(one) == 3 and not one[2].lstrip().startswith("#")]
    return [
        f"{path}:{number}" for path, number, text in calls if not {"--all-tags", "-T"} & set(text.split())
    ]
