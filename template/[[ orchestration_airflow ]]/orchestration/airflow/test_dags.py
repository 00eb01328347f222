"""What the DAGs make of the kit's answers, by `airflow dags test` in an Airflow of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Scripted
from project import MODEL

STAGES = ["watch-data", "validate", "train", "gate", "report", "register", "runs"]


@dataclass(frozen=True)
class Airflow:
    home: Path

    def __call__(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        settings = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "MLOPS_RETRY_SECONDS": "0",
            "SCARF_ANALYTICS": "false",
        }
        command = [str(Path(sys.executable).with_name("airflow")), *words]
        environment = os.environ | settings | more
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    made = Airflow(tmp_path_factory.mktemp("airflow"))
    migrated = made("db", "migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    return made


def tried(airflow: Airflow, dag: str, scripted: Scripted) -> tuple[int, str]:
    done = airflow("dags", "test", dag, MLOPS_PROJECT=str(scripted.root))
    return done.returncode, done.stdout + done.stderr


def test_a_crash_is_tried_again_and_closed_gates_are_a_result(
    airflow: Airflow, scripted: Scripted
) -> None:
    scripted.answers(train=[1], gate=[10], register=[10])
    code, said = tried(airflow, MODEL, scripted)
    assert code == 0, said
    assert scripted.commands == [*STAGES[:3], *STAGES[2:], "alarm"]
    assert "register: rejected" in said
    assert scripted.calls[-1][1:3] == ["airflow", "--clear"]


def test_refused_data_is_not_tried_again_and_raises_the_alarm(
    airflow: Airflow, scripted: Scripted
) -> None:
    scripted.answers(validate=[10])
    code, said = tried(airflow, MODEL, scripted)
    assert code == 1, said
    assert scripted.commands == ["watch-data", "validate", "alarm"]
    assert "The data is refused, nothing is trained." in scripted.calls[-1][-1]


def test_it_gives_up_with_one_alarm(airflow: Airflow, scripted: Scripted) -> None:
    scripted.answers(train=[1, 3, 1])
    code, said = tried(airflow, MODEL, scripted)
    assert code == 1, said
    assert scripted.commands == ["watch-data", "validate", "train", "train", "train", "alarm"]
    assert "`mlops-kit train` ended with 1" in scripted.calls[-1][-1]
