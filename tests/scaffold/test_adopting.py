"""What adopting reads out of code, without running any of it."""

import ast
from pathlib import Path

import pytest
from mlops_new.adopt.read import entry_point, file_uses, metrics, obstacles, repository, source
from mlops_new.adopt.run.observation import Seen
from mlops_new.adopt.write import dvc_data, dvc_yaml, mlops_run, patches, stages

from tests.conftest import must
from tests.scaffold import adoptable

TRAINS = "from sklearn.svm import SVC\nmodel = SVC()\nmodel.fit([[1]], [1])\n"
DEFINES = "def fit_it(model):\n    model.fit([[1]], [1])\n"


def look(root: Path, files: dict[str, str]) -> entry_point.Found:
    adoptable.repository(root, files)
    return entry_point.look(repository.find(root))


@pytest.mark.parametrize(
    ("files", "chosen", "kind"),
    [
        ({"a.py": TRAINS, "train_model.py": TRAINS}, "train_model.py", "script"),
        ({"explore.ipynb": adoptable.notebook([TRAINS]), "b.py": TRAINS}, "b.py", "script"),
        ({"lib.py": DEFINES, "go.py": "import lib\nlib.fit_it(1)\n"}, "go.py", "script"),
        ({"pkg/__init__.py": "", "pkg/m.py": DEFINES, "pkg/run.py": "from .m import fit_it\nfit_it(1)\n"}, "pkg/run.py", "module"),
        ({"old_train.py": TRAINS, "work.py": TRAINS}, "work.py", "script"),
        ({"tests/train.py": TRAINS, "x y.py": TRAINS}, "x y.py", "script"),
        ({"node_modules/train.py": TRAINS, ".venv/train.py": TRAINS, "z.py": TRAINS}, "z.py", "script"),
    ],
)  # fmt: skip
def test_the_likeliest_is_chosen(tmp_path: Path, files: dict[str, str], chosen: str, kind: str) -> None:
    found = look(tmp_path / "it", files)
    assert (found.candidates[0].path, found.candidates[0].kind) == (chosen, kind)


def test_a_module_is_run_as_one(tmp_path: Path) -> None:
    files = {"src/pkg/__init__.py": "", "src/pkg/run.py": f"from pkg import x\n{TRAINS}", "src/pkg/x.py": ""}
    (one,) = look(tmp_path / "it", files).candidates
    assert stages.command(one, "") == ["python", "-m", "pkg.run"]


def test_a_folder_of_a_repository_is_looked_at_alone(tmp_path: Path) -> None:
    root = adoptable.repository(tmp_path / "it", {"train.py": TRAINS, "churn/model.py": TRAINS})
    found = entry_point.look(repository.find(root / "churn"))
    assert [one.path for one in found.candidates] == ["churn/model.py"]


def test_code_in_another_encoding_is_read(tmp_path: Path) -> None:
    root = adoptable.repository(
        tmp_path / "it", {"train.py": f"# größer\n{TRAINS}"}, encodings={"train.py": "latin-1"}
    )
    assert [one.path for one in entry_point.look(repository.find(root)).candidates] == ["train.py"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pd.read_csv('a.csv')", ("a.csv", "read")),
        ("D = 'data'\npd.read_parquet(f'{D}/x.parquet')", ("data/x.parquet", "read")),
        ("D = Path('data')\npd.read_csv(D / 'raw' / 'x.csv')", ("data/raw/x.csv", "read")),
        ("import os\nopen(os.path.join('a', 'b.txt'))", ("a/b.txt", "read")),
        ("open('m.json', 'w')", ("m.json", "write")),
        ("open('m.json', mode='a')", ("m.json", "write")),
        ("Path('m').open('wb')", ("m", "write")),
        ("(Path('a') / 'b').write_text('x')", ("a/b", "write")),
        ("joblib.dump(model, 'm.joblib')", ("m.joblib", "write")),
        ("torch.save(model.state_dict(), 'm.pt')", ("m.pt", "write")),
        ("plt.savefig('p.png')", ("p.png", "write")),
        ("np.save('w.npy', w)", ("w.npy", "write")),
        ("H = Path(__file__).resolve().parents[1]\npd.read_csv(H / 'x.csv')", ("/r/x.csv", "read")),
    ],
)
def test_paths_are_followed_through_constants(code: str, expected: tuple[str, str]) -> None:
    (use,) = file_uses.uses(source.Source("a/t.py", ast.parse(code)), "/r/a/t.py")
    assert (use.path, use.how) == expected


def test_what_the_code_does_not_say_is_not_guessed() -> None:
    code = "import sys\npd.read_csv(sys.argv[1])\nopen(name)\nrows.to_csv(folder / 'x.csv')"
    assert file_uses.uses(source.Source("t.py", ast.parse(code)), "/r/t.py") == []


def in_the_way(code: str) -> list[str]:
    one = source.Source("t.py", source.parse(code.encode()))
    return [found.what for found in obstacles.found(one, file_uses.uses(one, "/r/t.py"))]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("pd.read_csv('/home/ada/x.csv')", "the absolute path '/home/ada/x.csv'"),
        ("x = 'C:\\\\data\\\\x.csv'", "the absolute path"),
        ("pd.read_csv('https://example.com/x.csv')", "it reads https://example.com/x.csv"),
        ("train_test_split(x)", "train_test_split draws at random"),
        ("RandomForestClassifier(n_estimators=3)", "RandomForestClassifier draws at random"),
        ("np.random.rand(3)", "np.random.rand draws at random"),
        ("np.random.default_rng()", "np.random.default_rng draws at random"),
    ],
)
def test_what_stands_in_the_way_is_named(code: str, says: str) -> None:
    (what,) = in_the_way(code)
    assert what.startswith(says)


@pytest.mark.parametrize(
    "code",
    ["train_test_split(x, random_state=0)", "np.random.seed(1)\nnp.random.rand(3)", "train_test_split(**options)",
     "pd.read_csv('data/home/x.csv')", "np.random.default_rng(3)"],
)  # fmt: skip
def test_what_is_in_order_is_not(code: str) -> None:
    assert in_the_way(code) == []


def test_a_notebook_that_only_its_session_can_run(tmp_path: Path) -> None:
    cells = ["!pip install x", "print(rows[shown])", "rows = [1]", "[n for n in rows]"]
    (tmp_path / "n.ipynb").write_text(adoptable.notebook(cells))
    one = source.read(tmp_path, "n.ipynb")
    assert [(found.where, found.what) for found in obstacles.found(one, [])] == [
        ("n.ipynb, code cell 1", "`!pip install x` changes more than the notebook says"),
        ("n.ipynb, code cell 2", "it uses `rows`, which code cell 3 makes"),
        ("n.ipynb, code cell 2", "it uses `shown`, which no cell makes"),
    ]


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


def test_the_gate_asks_about_test_rows_and_knows_which_way_is_better() -> None:
    assert metrics.main_figure({"train_auc": 0.9, "test_auc": 0.8, "loss": 0.1}) == ("test_auc", 0.8, True)
    assert metrics.main_figure({"model.rmse": 2.0}) == ("model.rmse", 2.0, False)
    assert metrics.main_figure({"rows": 300.0}) is None


def test_what_git_tracks_stays_in_git(tmp_path: Path) -> None:
    root = adoptable.repository(
        tmp_path / "it",
        {"train.py": TRAINS, "old.csv": "1\n", "model.pkl": "x"},
        {"new.csv": "2\n", "conf.yaml": "a: 1\n"},
    )
    here = repository.find(root)
    (one,) = entry_point.look(here).candidates
    seen = Seen(
        reads={"old.csv", "new.csv", "conf.yaml", "pyproject.toml"},
        writes={"model.pkl", "catboost_info/time"},
    )
    stage = stages.of_seen(here, one, seen, root)
    assert stage.deps == ["conf.yaml", "mlops_run.py", "new.csv", "old.csv", "train.py"]
    assert stage.outs == ["model.pkl"]
    assert stage.in_git == {"model.pkl"}
    assert stage.logs == ["catboost_info"]
    assert dvc_data.untracked(here, stage) == (["new.csv"], ["conf.yaml"])


def test_many_files_of_a_folder_are_the_folder(tmp_path: Path) -> None:
    images = {f"images/{i}.png": str(i) for i in range(12)}
    root = adoptable.repository(tmp_path / "it", {"train.py": TRAINS}, images)
    here = repository.find(root)
    stage = stages.of_seen(here, entry_point.look(here).candidates[0], Seen(reads=set(images)), root)
    assert stage.deps == ["images", "mlops_run.py", "train.py"]
    assert dvc_data.track(root, "images") == "images.dvc"
    text = (root / "images.dvc").read_text()
    assert "nfiles: 12" in text
    assert ".dir\n" in text


def test_a_patch_keeps_line_ends_and_bytes(tmp_path: Path) -> None:
    before = b"*.tmp\r\n# caf\xe9"
    root = adoptable.repository(tmp_path / "it", {"x": ""})
    (root / ".gitignore").write_bytes(before)
    patch = patches.with_lines(".gitignore", before, ["/model"], "")
    assert patch.after == before + b"\r\n/model\r\n"
    patches.keep([patch], root / ".git/it.patch")
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
    here = repository.find(adoptable.repository(tmp_path / "it", {"dvc.yaml": text}))
    patch = dvc_yaml.patch(here, {"train": {"deps": ["b c.py"]}})
    assert patch
    assert becomes.replace("- b c.py", '- "b c.py"') in patch.after.decode()


def test_dvc_yaml_in_a_form_that_is_not_known_is_left_to_a_person(tmp_path: Path) -> None:
    text = "stages: {train: {cmd: python a.py, deps: [a.py]}}\n"
    here = repository.find(adoptable.repository(tmp_path / "it", {"dvc.yaml": text}))
    assert dvc_yaml.patch(here, {"train": {"deps": ["b.py"]}}) is None
