"""DVC: its remote, what was not pushed, the lock, and what a `dvc gc` would take."""

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
    """DVC has a remote that answers and can be written to."""
    dvc_remote = _remote(patient)
    folder = _folder(patient.repository, dvc_remote)
    if folder is None:
        _status(patient)
        return Diagnosis("dvc remote", "ok", f"{dvc_remote.name} can be read ({dvc_remote.shown}).")
    if runner.on_runner():
        says = f"{dvc_remote.name} is a folder ({folder}), which a runner does not have."
        return Diagnosis("dvc remote", "fail", says, "uv run dvc remote modify NAME url s3://BUCKET/PATH")
    existing = folder if folder.exists() else folder.parent  # DVC makes the folder at the first push
    if not existing.is_dir() or not os.access(existing, os.R_OK | os.W_OK):
        says = f"{folder}, the remote {dvc_remote.name}, is not there or may not be written to."
        return Diagnosis("dvc remote", "fail", says, "uv run dvc remote list")
    return Diagnosis(
        "dvc remote", "ok", f"{dvc_remote.name} is a folder that can be written to; only you have it."
    )


def pushed_data(patient: Patient) -> Diagnosis:
    """What Git names is in the remote."""
    _remote(patient)
    missing = _paths(_status(patient).get("not_in_remote"))
    if not missing:
        return Diagnosis("pushed data", "ok", "All that Git names is in the remote.")
    says = f"Not in the remote: {', '.join(missing[:5])}, {len(missing)} in all."
    return Diagnosis("pushed data", "fail", says, f"{contract_of(patient).commands.dvc} push")


def lock(patient: Patient) -> Diagnosis:
    """dvc.lock is as data, code and parameters are; it may be behind, the next training brings it up."""
    repository, contract = patient.repository, contract_of(patient)
    start = train.starting_point(repository, contract)
    if start is None:
        return Diagnosis("lock", "warn", f"There is no {LOCK}: nothing was trained.", "mlops-kit train")
    result = freshness.of(repository, contract, start.lock, start.revision)
    if result.is_fresh:
        return Diagnosis("lock", "ok", f"Nothing to train: the inputs are as {start.name} has them.")
    return Diagnosis("lock", "warn", f"Behind {start.name}: {'; '.join(result.lines)}.", "mlops-kit train")


def versions_kept(patient: Patient) -> Diagnosis:
    """Nothing deletes the models of tagged versions."""
    repository, contract = patient.repository, contract_of(patient)
    if risky := _gc_calls(repository):
        says = f"`dvc gc` without --all-tags would delete versions' models: {', '.join(risky[:3])}."
        return Diagnosis("versions kept", "fail", says, "Use `mlops-kit gc`, which keeps every tag.")
    newest, dvc_remote = version.newest(repository, contract.model), repository.remote
    folder = _folder(repository, dvc_remote) if dvc_remote else None
    if newest is None or folder is None:
        says = "No script calls `dvc gc`; only `mlops-kit gc` keeps what tags need."
        return Diagnosis("versions kept", "ok", says)
    committed = repository.lock(newest.tag)
    artifacts = [committed.out(path) for path in contract.artifacts] if committed else []
    gone = [one.path for one in artifacts if one and not object_path(folder, one.md5).exists()]
    if gone:
        says = f"{newest.tag}: {', '.join(gone)} is not in the remote any more."
        mend = f"git checkout {newest.tag} && {contract.commands.dvc} repro && {contract.commands.dvc} push"
        return Diagnosis("versions kept", "fail", says, mend)
    return Diagnosis("versions kept", "ok", f"The model of {newest.tag} is in the remote.")


def cadence(patient: Patient) -> Diagnosis:
    """Somebody looked lately whether there is something new to learn."""
    looked = age.clock(patient.repository)
    file = heartbeat.schedule_file(patient.repository)
    mend = f"gh workflow run {file}" if file and patient.repository.slug else LOOK
    if looked is None:
        raise Unknown("No run has made a version yet, or found that there is nothing to learn.", mend)
    days = (patient.now - looked).days
    says = f"On {looked:%Y-%m-%d} the version in use was what the data gives"
    if days > LONGEST_WITHOUT_LOOK:
        return Diagnosis("cadence", "warn", f"{says}, {days} days ago; nobody looked since.", mend)
    return Diagnosis("cadence", "ok", f"{says}.")


def _remote(patient: Patient) -> Remote:
    dvc_remote = patient.repository.remote
    if dvc_remote is None:
        raise Unknown(
            "There is no DVC remote: nobody else has data and models, and CI trains on the sample.",
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
