"""The training as a Prefect flow. `python flow.py [CRON]` serves it on this machine; see README.md."""

import sys
from typing import Any

import prefect
import prefect.runtime
from kit import ROOT, Answer, Run
from prefect import Flow, State
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Failed
from project import MODEL

NIGHTLY = "23 3 * * *"
ALARM = "prefect"  # one open issue, however often it fails


def this_run() -> Run:
    say = prefect.get_run_logger().info
    return Run(f"prefect-{prefect.runtime.flow_run.get_id()}", "prefect", say)


@prefect.task(task_run_name="update")
def update() -> None:
    this_run().update()


@prefect.task(task_run_name="{command}")
def stage(command: str, *options: str, minutes: float = 10) -> Answer:
    """Yes or no is an answer; everything else is tried again, and DVC goes on where it stopped."""
    return this_run().kit(command, *options, minutes=minutes)


def give_up(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Nothing more is tried: an alarm, that is an issue on GitHub."""
    run = f"prefect-{flow_run.id}"
    text = (
        f"Flow run `{flow_run.name}` ended as {state.name}: {state.message}\n\n"
        f"How far it came: `mlops-kit runs --run {run}`; why: the log of the flow run in Prefect. "
        "The version in use is not touched. The next run that comes to its end closes this issue."
    )
    title = f"{flow.name}: the training in Prefect gave up"
    Run(run, "prefect", print).kit("alarm", ALARM, "--title", title, "--text", text)


def recovered(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    text = f"Flow run `{flow_run.name}` came to its end: {state.message}"
    Run(f"prefect-{flow_run.id}", "prefect", print).kit("alarm", ALARM, "--clear", "--text", text)


@prefect.flow(name=MODEL, on_failure=[give_up], on_crashed=[give_up], on_completion=[recovered])
def train(retry_after: tuple[float, ...] = (30, 300), minutes: float = 120) -> State[Any]:
    """What train.yml does on GitHub: new data, checks, training, gates, report, version.

    `retry_after` are the seconds before each new try of a stage; `minutes` is what the training may take.
    """
    tries, after = len(retry_after), list(retry_after)
    update.with_options(retries=tries, retry_delay_seconds=after)()
    run = stage.with_options(retries=tries, retry_delay_seconds=after)
    for command in (["watch-data", "--yes"], ["validate"]):
        if not (data := run(*command)).yes:
            return Failed(message=f"The data is refused, nothing was trained. {data.text}")
    run("train", minutes=minutes)
    verdict = run("gate")
    summary, page = run("report").text, ROOT / ".mlops/report/report.md"
    report = page.read_text(encoding="utf-8") if page.is_file() else summary
    said = verdict.text.splitlines()[-1]
    create_markdown_artifact(report, key=f"{MODEL}-report", description=said)
    registered = run("register")
    run("runs", "--publish")
    name = "Completed" if registered.yes else "Gates closed"
    return Completed(name=name, message=registered.text.partition("\n")[0])


if __name__ == "__main__":
    cron = sys.argv[1] if sys.argv[1:] else NIGHTLY
    train.serve(name="here", cron=cron, limit=1, global_limit=1)
