"""A repository that is not ours: a pipeline of awk and shell under DVC, and an mlops.yaml."""

import json
from pathlib import Path

from mlops_kit.project import contract
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

from tests.conftest import Done, must
from tests.kit import small_repository

FILES = {
    "mlops.yaml": """\
model: tips
commands:
  dvc: {dvc}
  validate: sh check.sh
  predict: sh predict.sh
environment: [train.sh]
artifacts: [model.txt]
metrics: metrics.json
predictions: {{file: predictions.csv, task: regression}}
rows: {{test: test.csv, train: train.csv, key: key}}
sample: {{file: sample.csv, parameter: data}}
gates:
  close-enough: {{kind: threshold, metric: model.mae, at_most: baseline.mae, interval: false}}
""",
    "params.yaml": "data: bills.csv  # the raw rows\ndigits: 3\n",
    "dvc.yaml": """\
stages:
  prepare:
    cmd: sh prepare.sh ${data}
    deps: [prepare.sh, "${data}"]
    outs: [train.csv, test.csv]
  train:
    cmd: sh train.sh ${digits}
    deps: [train.sh, train.csv]
    params: [digits]
    outs: [model.txt]
  evaluate:
    cmd: sh evaluate.sh
    deps: [evaluate.sh, predict.sh, model.txt, test.csv, train.csv]
    outs: [predictions.csv]
    metrics: [metrics.json]
""",
    "check.sh": """\
awk -F, 'NR > 1 && NF != 3 { print "line " NR ": " NF " fields, not 3"; bad = 1 }
  END { if (NR < 2) { print "no rows"; bad = 1 } exit bad }' "${1:-bills.csv}" >&2
""",
    "prepare.sh": """\
awk -F, 'NR == 1 { print > "train.csv"; print > "test.csv"; next }
  { print > (NR % 5 ? "train.csv" : "test.csv") }' "$1"
""",
    "train.sh": """\
awk -F, -v digits="$1" 'NR > 1 { bill += $2; tip += $3 }
  END { printf "%.*f\\n", digits, tip / bill }' train.csv > model.txt
""",
    "predict.sh": """\
{ echo key,prediction; awk -F, -v share="$(cat model.txt)" 'NR > 1 { print $1 "," $2 * share }' "$1"; } > "$3"
""",
    "evaluate.sh": """\
sh predict.sh test.csv --out predicted.tmp
average=$(awk -F, 'NR > 1 { tip += $3 } END { print tip / (NR - 1) }' train.csv)
awk -F, -v average="$average" 'NR == FNR { guess[$1] = $2; next }
  FNR == 1 { print "key,prediction,actual" > "predictions.csv"; next }
  { print $1 "," guess[$1] "," $3 > "predictions.csv"; n++
    wrong += ($3 > guess[$1] ? $3 - guess[$1] : guess[$1] - $3)
    base += ($3 > average ? $3 - average : average - $3) }
  END { printf "{\\"model\\": {\\"n\\": %d, \\"mae\\": %.6f}, \\"baseline\\": {\\"n\\": %d, \\"mae\\": %.6f}}\\n", \
n, wrong / n, n, base / n > "metrics.json" }' predicted.tmp test.csv
rm predicted.tmp
""",
    ".gitignore": "/bills.csv\n/train.csv\n/test.csv\n/model.txt\n/predictions.csv\n/metrics.json\n/.mlops/\n/mlops-run/\n",
}


def bills(rows: int, share: float = 0.15) -> str:
    """Bills with their tips; every bill is another, so that a row more is another file."""
    lines = [f"b{i},{10 + i * 7 % 90},{(10 + i * 7 % 90) * share + i % 3 / 2:.2f}" for i in range(rows)]
    return "\n".join(["key,bill,tip", *lines]) + "\n"


def start(folder: Path, dvc: str) -> None:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text.format(dvc=dvc) if name == "mlops.yaml" else text)
    (folder / "sample.csv").write_text(bills(40))
    (folder / "bills.csv").write_text(bills(400))
    must(["git", "init", "--quiet"], folder)
    must([dvc, "init", "--quiet"], folder)
    must([dvc, "config", "core.analytics", "false"], folder)
    must([dvc, "add", "--quiet", "bills.csv"], folder)
    must(["git", "add", "--all"], folder)
    must(["git", "commit", "--quiet", "--message=Start"], folder)


def publish(folder: Path, dvc: str) -> None:
    """With addresses relative to the repository, so that all of it can be copied."""
    must(["git", "init", "--quiet", "--bare", "--initial-branch=main", "../origin.git"], folder)
    must([dvc, "remote", "add", "--quiet", "--default", "storage", "../storage"], folder)
    must(["git", "remote", "add", "origin", "../origin.git"], folder)
    must(["git", "commit", "--quiet", "--all", "--message=Add a remote"], folder)
    must([dvc, "push", "--quiet"], folder)
    must(["git", "push", "--quiet", "--set-upstream", "origin", "main"], folder)


def means(repository: Repository) -> Contract:
    return contract.load(repository.root)


def clone_of(repository: Repository, name: str, *how: str) -> Repository:
    """A fresh clone of the origin, as a colleague or a runner has it."""
    beside = repository.root.parent
    must(["git", "clone", "--quiet", *how, f"file://{beside / 'origin.git'}", beside / name], beside)
    return Repository(beside / name)


def kit(repository: Repository, *words: str, **more: str) -> Done:
    return small_repository.kit(repository.root, *words, **more)


def change(repository: Repository, path: str, old: str, new: str) -> None:
    """Replaces a text that stands once in a file, and commits."""
    file = repository.root / path
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
    file.write_text(text.replace(old, new), encoding="utf-8")
    commit_all(repository, f"Change {path}")


def commit_all(repository: Repository, message: str) -> str:
    must(["git", "commit", "--quiet", "--all", f"--message={message}"], repository.root)
    return repository.commit()


def new_bills(repository: Repository, dvc: str, rows: int) -> None:
    """More raw data, tracked and committed."""
    (repository.root / "bills.csv").chmod(0o644)
    (repository.root / "bills.csv").unlink()
    (repository.root / "bills.csv").write_text(bills(rows))
    must([dvc, "add", "--quiet", "bills.csv"], repository.root)
    commit_all(repository, f"{rows} bills")


def registered(repository: Repository) -> str:
    """Trains, judges and registers what is committed; the version's name."""
    for words in (["train"], ["gate"], ["register", "--json"]):
        done = kit(repository, *words)
        assert done.code == 0, done.said
    return str(json.loads(done.stdout)["version"])
