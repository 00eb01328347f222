"""mlops-kit verify."""

from pathlib import Path

import click

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import plain
from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import verify
from mlops_kit.registry.verifications import Proof, StageProof
from mlops_kit.runs import publish as publication
from mlops_kit.versions import version as versions


@click.command()
@click.argument("version", default="", required=False, envvar="MLOPS_KIT_VERIFY_VERSION")
@click.option("--publish", is_flag=True, help="Put the result onto the branch mlops/runs, for everybody.")
@json_option
def command(version: str, publish: bool, as_json: bool) -> None:
    """Make a version again from its code and data, and compare: VERSION, or the newest.

    Bytes that differ while the predictions agree are a warning. Ends with 10 when the predictions differ.
    `show` tells the result.
    """
    here = repository.find(Path.cwd())
    contract, say = contracts.load(here.root), reporter()
    versions.refresh(here, contract.model, say)
    chosen = (
        versions.find(here, contract.model, version) if version else versions.newest(here, contract.model)
    )
    if chosen is None:
        raise KitError(
            f"{contract.model} has no version yet: there is nothing to verify.",
            "`mlops-kit train`, `gate` and `register` make one.",
        )
    proof = verify.verify(here, contract, chosen, say)
    if publish:
        publication.publish(here)
    words = in_words(proof)
    runner.output(result=proof.result, version=proof.version)
    runner.annotate({"same": "notice", "warning": "warning", "differs": "error"}[proof.result], proof.says)
    runner.summary(f"### {plain(proof.says, 1000)}")
    finish(proof, words, as_json, yes=proof.result != "differs")


def in_words(proof: Proof) -> str:
    return "\n".join([proof.says, *(line for one in proof.stages for line in _stage(one))])


def _stage(one: StageProof) -> list[str]:
    kind = {"warning": "warning", "differs": "DIFFERS", "same": "same"}[one.result]
    because = f", which reads what {', '.join(one.because)} made" if one.because else ""
    return [f"  {kind}: {one.stage}{because}", *(f"    {how}" for how in one.how)]
