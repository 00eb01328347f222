"""The training as an Airflow DAG: every night, and whenever the data asset changes. See ../README.md."""

import json
import logging
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    TriggerRule,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from kit import Answer, Run
from project import MODEL

log = logging.getLogger("airflow.task")

NIGHTLY = CronTriggerTimetable("23 3 * * *", timezone="UTC")
HOURLY = CronTriggerTimetable("37 * * * *", timezone="UTC")
ALARM = "airflow"  # one open issue, however often it fails

# The look below says that it changed; so may whoever delivers it: POST /api/v2/assets/events
DATA = Asset(f"{MODEL}-data")
VERSION = Asset(f"{MODEL}-version")  # changes with every new version, for DAGs that use the model


def this_run(context: Any) -> Run:
    run_id = re.sub(r"[^A-Za-z0-9._-]+", "-", context["run_id"])
    return Run(f"airflow-{run_id}", "airflow", log.info)


def kit(*words: str, minutes: float = 10) -> Answer:
    return this_run(get_current_context()).kit(*words, minutes=minutes)


def give_up(context: Any) -> None:
    """Nothing more is tried: an alarm, that is an issue on GitHub."""
    run, at = this_run(context), context["task_instance"]
    text = (
        f"Task `{at.task_id}` of `{at.dag_id}` failed after {at.try_number} tries: "
        f"{context.get('exception')}\n\n"
        f"How far it came: `mlops-kit runs --run {run.id}`; why: the log of the task in Airflow. "
        "The version in use is not touched. The next run that comes to its end closes this issue."
    )
    title = f"{MODEL}: the training in Airflow gave up"
    run.kit("alarm", ALARM, "--title", title, "--text", text)


def recovered(context: Any) -> None:
    run = this_run(context)
    run.kit("alarm", ALARM, "--clear", "--text", f"Run `{context['run_id']}` came to its end.")


SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,  # they share one clone
    "default_args": {
        "queue": os.environ.get("MLOPS_QUEUE", "default"),  # of the workers that have the clone
        "retries": 2,
        "retry_delay": timedelta(seconds=float(os.environ.get("MLOPS_RETRY_SECONDS", "60"))),
        "execution_timeout": timedelta(hours=3),
        "on_failure_callback": give_up,
    },
}


@dag(dag_id=MODEL, schedule=AssetOrTimeSchedule(timetable=NIGHTLY, assets=[DATA]), **SETTINGS)
def training() -> None:
    """What train.yml does on GitHub: new data, checks, training, gates, report, version."""

    @task
    def update() -> None:
        """The newest commit, and data that landed since."""
        this_run(get_current_context()).update()
        _unless_refused(kit("watch-data", "--yes"))

    @task
    def validate() -> None:
        _unless_refused(kit("validate"))

    @task
    def train() -> None:
        """DVC runs what is out of date, and goes on where an earlier try stopped."""
        kit("train", minutes=170)

    @task
    def gate() -> str:
        return kit("gate").text

    @task
    def report() -> str:
        """As Markdown among the task's XComs."""
        return kit("report").text

    @task(outlets=[VERSION])
    def register() -> None:
        """Closed gates and a result that is known are no failure: skipped, with the reason."""
        done = json.loads(kit("register", "--json").text)
        if done["outcome"] != "registered":
            raise AirflowSkipException(done["says"])

    @task(trigger_rule=TriggerRule.NONE_FAILED, on_success_callback=recovered)
    def publish() -> None:
        kit("runs", "--publish")

    update() >> validate() >> train() >> gate() >> report() >> register() >> publish()


@dag(dag_id=f"{MODEL}-new-data", schedule=HOURLY, **SETTINGS)
def looking() -> None:
    """Is there new data? Changes nothing: the training takes what it finds."""

    @task(outlets=[DATA])
    def look() -> None:
        answer = kit("watch-data", "--dry-run", "--json")
        _unless_refused(answer)
        if not json.loads(answer.text)["found"]:
            raise AirflowSkipException("no new data")

    look()


def _unless_refused(answer: Answer) -> None:
    if not answer.yes:
        raise AirflowFailException(f"The data is refused, nothing is trained. {answer.text}")


training()
looking()
