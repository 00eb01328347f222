"""mlops-kit verify."""

from pathlib import Path

import click

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import plain
from mlops_kit.base.progress import Say
from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import tidy, writes
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import verify
from mlops_kit.registry.verifications import Proof, StageProof
from mlops_kit.runs import publish as publication
from mlops_kit.versions import version as versions


@click.command(
    epilog=examples(
        "mlops-kit verify",
        "mlops-kit verify v0.3.0 --publish",
    )
)
@click.argument("version", default="", required=False, envvar="MLOPS_KIT_VERIFY_VERSION")
@click.option("--publish", is_flag=True, help="Push the result to the branch mlops/runs.")
@json_option
def command(version: str, publish: bool, as_json: bool) -> None:
    """Train a version again and compare the results.

    The default is the newest version. Exits with 10 if the predictions differ. If only bytes of files differ, this is a
    warning. With the tier `serving` it also serves the version and compares the answers with the predictions. `show`
    prints the result later.
    """
    repo = repository.find(Path.cwd())
    writes(repo)
    tidy(repo)
    contract, say = contracts.load(repo.root), reporter()
    versions.refresh(repo, contract.model, say)
    chosen = (
        versions.find(repo, contract.model, version) if version else versions.newest(repo, contract.model)
    )
    if chosen is None:
        raise KitError(
            f"{contract.model} has no version yet: there is nothing to verify.",
            "`mlops-kit train`, `gate` and `register` make one.",
        )
    proof = verify.verify(repo, contract, chosen, say, _served(repo, contract, say))
    if publish:
        publication.publish(repo)
    words = in_words(proof)
    runner.output(result=proof.result, version=proof.version)
    runner.annotate({"same": "notice", "warning": "warning", "differs": "error"}[proof.result], proof.says)
    runner.summary(f"### {plain(proof.says, 1000)}")
    finish(proof, words, as_json, yes=proof.result != "differs")


def _served(repo: Repository, contract: Contract, say: Say) -> verify.Served | None:
    """With the tier `serving`: compares what a server answers."""
    if contract.serving is None:
        return None
    from mlops_kit.serving import equality  # imports asyncio and Arrow, which few verify with

    return lambda tree: equality.difference(repo, contract, tree, say)


def in_words(proof: Proof) -> str:
    return "\n".join([proof.says, *(line for one in proof.stages for line in _stage_lines(one))])


def _stage_lines(proof: StageProof) -> list[str]:
    kind = {"warning": "warning", "differs": "DIFFERS", "same": "same"}[proof.result]
    because = f", which reads what {', '.join(proof.because)} made" if proof.because else ""
    return [f"  {kind}: {proof.stage}{because}", *(f"    {how}" for how in proof.how)]
