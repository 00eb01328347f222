"""What adopting writes: the stage, data under DVC, patches, and metrics that a training prints."""

from pathlib import Path

import pytest
from mlops_new.adopt.read import entry_point, repository
from mlops_new.adopt.run.observation import Observation
from mlops_new.adopt.write import dvc_data, dvc_yaml, mlops_run, patches, stages

from tests.conftest import must
from tests.scaffold.adopt import repositories

TRAINS = "from sklearn.svm import SVC\nmodel = SVC()\nmodel.fit([[1]], [1])\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Accuracy: 0.93", {"accuracy": 0.93}),
        ("Test RMSE = 2.50 after 3 epochs", {"test_rmse": 2.5}),
        ("F1 score 87 %", {"f1_score": 0.87}),
        ("epoch 3 - loss: 0.31 - val_loss: 1e-2", {"loss": 0.31, "val_loss": 0.01}),
        ("{'roc_auc': 0.71, 'log_loss': 0.4}", {"roc_auc": 0.71, "log_loss": 0.4}),
        ("    accuracy                           0.95       100", {"accuracy": 0.95}),
        ("Read 300 rows of accurate data in 2.1 s", {}),
        ("R2 is -0.2", {"r2": -0.2}),
    ],
)
def test_printed_figures_are_found(line: str, found: dict[str, float]) -> None:
    assert mlops_run.figures_of(line) == found


def test_what_git_tracks_stays_in_git(tmp_path: Path) -> None:
    root = repositories.repository(
        tmp_path / "it",
        {"train.py": TRAINS, "old.csv": "1\n", "model.pkl": "x"},
        {"new.csv": "2\n", "conf.yaml": "a: 1\n"},
    )
    repo = repository.open_repository(root)
    (one,) = entry_point.scan(repo).candidates
    observation = Observation(
        reads={"old.csv", "new.csv", "conf.yaml", "pyproject.toml"},
        writes={"model.pkl", "catboost_info/time"},
    )
    stage = stages.from_run(repo, one, observation, root)
    assert stage.deps == ["conf.yaml", "mlops_run.py", "new.csv", "old.csv", "train.py"]
    assert stage.outs == ["model.pkl"]
    assert stage.in_git == {"model.pkl"}
    assert stage.logs == ["catboost_info"]
    assert dvc_data.untracked(repo, stage) == (["new.csv"], ["conf.yaml"])


def test_many_files_of_a_folder_are_the_folder(tmp_path: Path) -> None:
    images = {f"images/{i}.png": str(i) for i in range(12)}
    root = repositories.repository(tmp_path / "it", {"train.py": TRAINS}, images)
    repo = repository.open_repository(root)
    stage = stages.from_run(repo, entry_point.scan(repo).candidates[0], Observation(reads=set(images)), root)
    assert stage.deps == ["images", "mlops_run.py", "train.py"]
    assert dvc_data.track(root, "images") == "images.dvc"
    text = (root / "images.dvc").read_text()
    assert "nfiles: 12" in text
    assert ".dir\n" in text


def test_a_patch_keeps_line_ends_and_bytes(tmp_path: Path) -> None:
    before = b"*.tmp\r\n# caf\xe9"
    root = repositories.repository(tmp_path / "it", {"x": ""})
    (root / ".gitignore").write_bytes(before)
    patch = patches.with_lines(".gitignore", before, ["/model"], "")
    assert patch.after == before + b"\r\n/model\r\n"
    patches.write_patch_file([patch], root / ".git/it.patch")
    must(["git", "-c", "core.autocrlf=false", "apply", ".git/it.patch"], root)
    assert (root / ".gitignore").read_bytes() == patch.after


@pytest.mark.parametrize(
    ("listed", "becomes"),
    [
        ("    deps:\n    - a.py\n", "    deps:\n    - b c.py\n    - a.py\n"),
        ("    deps:\n      - a.py\n", "    deps:\n      - \"b c.py\"\n      - a.py\n"),
        ("    deps: [a.py] # code\n", '    deps: [a.py, "b c.py"] # code\n'),
        ("", '    deps:\n      - "b c.py"\n'),
    ],
)  # fmt: skip
def test_dvc_yaml_in_any_form_is_added_to(tmp_path: Path, listed: str, becomes: str) -> None:
    text = f"stages:\n  train:\n    cmd: python a.py\n{listed}\n  other:\n    cmd: x\n"
    repo = repository.open_repository(repositories.repository(tmp_path / "it", {"dvc.yaml": text}))
    patch = dvc_yaml.make_patch(repo, {"train": {"deps": ["b c.py"]}})
    assert patch
    assert becomes.replace("- b c.py", '- "b c.py"') in patch.after.decode()


def test_dvc_yaml_in_a_form_that_is_not_known_is_left_to_a_person(tmp_path: Path) -> None:
    text = "stages: {train: {cmd: python a.py, deps: [a.py]}}\n"
    repo = repository.open_repository(repositories.repository(tmp_path / "it", {"dvc.yaml": text}))
    assert dvc_yaml.make_patch(repo, {"train": {"deps": ["b.py"]}}) is None
