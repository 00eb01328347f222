"""What adopting reads out of code, without running any of it."""

import ast
from pathlib import Path

import pytest
from mlops_new.adopt.read import entry_point, file_uses, metrics, obstacles, repository, source
from mlops_new.adopt.write import stages

from tests.scaffold.adopt import repositories

TRAINS = "from sklearn.svm import SVC\nmodel = SVC()\nmodel.fit([[1]], [1])\n"
DEFINES = "def fit_it(model):\n    model.fit([[1]], [1])\n"


def look(root: Path, files: dict[str, str]) -> entry_point.Codebase:
    repositories.repository(root, files)
    return entry_point.scan(repository.open_repository(root))


@pytest.mark.parametrize(
    ("files", "chosen", "kind"),
    [
        ({"a.py": TRAINS, "train_model.py": TRAINS}, "train_model.py", "script"),
        ({"explore.ipynb": repositories.notebook([TRAINS]), "b.py": TRAINS}, "b.py", "script"),
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
    root = repositories.repository(tmp_path / "it", {"train.py": TRAINS, "churn/model.py": TRAINS})
    found = entry_point.scan(repository.open_repository(root / "churn"))
    assert [one.path for one in found.candidates] == ["churn/model.py"]


def test_code_in_another_encoding_is_read(tmp_path: Path) -> None:
    root = repositories.repository(
        tmp_path / "it", {"train.py": f"# größer\n{TRAINS}"}, encodings={"train.py": "latin-1"}
    )
    assert [one.path for one in entry_point.scan(repository.open_repository(root)).candidates] == ["train.py"]


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
    (use,) = file_uses.find_uses(source.Source("a/t.py", ast.parse(code)), "/r/a/t.py")
    assert (use.path, use.how) == expected


def test_what_the_code_does_not_say_is_not_guessed() -> None:
    code = "import sys\npd.read_csv(sys.argv[1])\nopen(name)\nrows.to_csv(folder / 'x.csv')"
    assert file_uses.find_uses(source.Source("t.py", ast.parse(code)), "/r/t.py") == []


def in_the_way(code: str) -> list[str]:
    one = source.Source("t.py", source.parse(code.encode()))
    return [found.what for found in obstacles.find_obstacles(one, file_uses.find_uses(one, "/r/t.py"))]


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
    (tmp_path / "n.ipynb").write_text(repositories.notebook(cells))
    one = source.read(tmp_path, "n.ipynb")
    assert [(found.where, found.what) for found in obstacles.find_obstacles(one, [])] == [
        ("n.ipynb, code cell 1", "`!pip install x` changes more than the notebook says"),
        ("n.ipynb, code cell 2", "it uses `rows`, which code cell 3 makes"),
        ("n.ipynb, code cell 2", "it uses `shown`, which no cell makes"),
    ]


def test_the_gate_asks_about_test_rows_and_knows_which_way_is_better() -> None:
    assert metrics.main_metric({"train_auc": 0.9, "test_auc": 0.8, "loss": 0.1}) == ("test_auc", 0.8, True)
    assert metrics.main_metric({"model.rmse": 2.0}) == ("model.rmse", 2.0, False)
    assert metrics.main_metric({"rows": 300.0}) is None
