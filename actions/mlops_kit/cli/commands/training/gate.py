"""`mlops-kit gate`"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_kit.base.text_table import text_table
from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes

if TYPE_CHECKING:
    from mlops_kit.base.progress import Say
    from mlops_kit.gates.measure import Served
    from mlops_kit.project.contract import Contract
    from mlops_kit.project.repository import Repository
    from mlops_kit.versions.gate_results import GateResult, Verdict

WORDS = {"pass": "pass", "fail": "FAIL", "unknown": "can't tell", "removed": "removed"}


@click.command(
    epilog=examples(
        "mlops-kit gate",
        "mlops-kit gate --only latency",
    )
)
@click.option(
    "--only",
    default="",
    metavar="NAME",
    help="Judge this gate alone and do not save the result.  [default: all gates]",
)
@json_option
def command(only: str, as_json: bool) -> None:
    """Judge the trained model by the gates of mlops.yaml.

    Exits with 10 if a gate fails: the model cannot be registered then. Latency and size are measured on this machine.
    After a training on the sample the gates are for information only, and the exit code is 0.
    """
    from mlops_kit.forge import runner
    from mlops_kit.gates import judge
    from mlops_kit.project import contract, repository
    from mlops_kit.runs import events
    from mlops_kit.training import train

    repo = repository.find(Path.cwd())
    writes(repo)
    declared, journal, say = contract.load(repo.root), events.go_on(repo), reporter()
    for line in train.outdated(repo, declared, journal.run):
        say(f"Judging the model of an earlier training: {line}")
    verdict = judge.gate(repo, declared, journal, say, only, _served(repo, declared, say))
    sample = train.on_sample(repo)
    runner.output(open=verdict.is_open, better=verdict.better, against=verdict.against)
    if not verdict.is_open:
        runner.annotate(
            "warning" if sample else "error", f"Gates that do not pass: {', '.join(verdict.closed_by)}"
        )
    result = verdict.model_dump() | {"open": verdict.is_open, "sample": sample}
    finish(result, in_words(verdict, sample, only), as_json, yes=verdict.is_open or bool(sample))


def _served(repo: "Repository", declared: "Contract", say: "Say") -> "Served | None":
    """With the tier `serving`: times requests to a replica."""
    if declared.serving is None:
        return None

    def times(rows: Path, calls: int) -> list[float]:
        from mlops_kit.serving import latency

        return latency.measure(repo, declared, rows, calls, say)

    return times


def in_words(verdict: "Verdict", why_sample: str, only: str = "") -> str:
    lines = [*_table(verdict.results), ""] if verdict.results else ["mlops.yaml declares no gates.", ""]
    if not verdict.is_open:
        lines.append(f"Result: the model cannot be registered ({', '.join(verdict.closed_by)}).")
    elif only or why_sample:
        lines.append("Result: pass.")
    else:
        lines.append("Result: the model can be registered. Next: mlops-kit register")
    if why_sample:
        lines.append(
            f"The model was trained on the sample ({why_sample}): this is information only, nothing is registered."
        )
    return "\n".join(lines)


def _table(results: list["GateResult"]) -> list[str]:
    rows = [(one.name, WORDS[one.shown], _number(one.value), _number(one.bound), one.says) for one in results]
    lines = text_table(("gate", "status", "value", "bound", "why"), rows)
    return lines + [f"loosened: {result.name}: {result.loosened}" for result in results if result.loosened]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
