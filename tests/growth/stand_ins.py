"""A source tree whose template has a tier for every layer and tool of the plan."""

import shutil
import sys
from pathlib import Path

import yaml

from tests.conftest import ROOT, must

PLAN = {
    "orchestration": ("prefect", "airflow"),
    "training": ("sagemaker", "vertex"),
    "registry": ("mlflow", "wandb"),
    "serving": ("seldon", "tf-serving"),
    "drift": ("evidently", "whylogs"),
}
CHOICES = [(layer, tool) for layer, tools in PLAN.items() for tool in tools]
DERIVED = "# ---- what follows from the answers"
TEMPLATE_CHANGES = (  # from one version to the next
    ("mlops.yaml.jinja", "mb_at_most: 50", "mb_at_most: 60"),
    ("pipeline/train.py", "\n\n\n", "\n\n# next\n\n"),
    ("docs/runbook.md", "# ", "# The "),
    (".github/workflows/ci.yml.jinja", "timeout-minutes: ", "timeout-minutes: 1"),
    (".github/workflows/train.yml.jinja", "download-artifact@37930b1c", "download-artifact@44444444"),
    ("[[ drift_evidently ]]/drift/evidently/README.md.jinja", "# ", "# The "),
    ("README.md.jinja", "# ", "# The "),
)


def source(into: Path) -> Path:
    """What is in Git or about to be, with stand-ins for the tiers that are not there yet."""
    names = must(["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT).splitlines()
    for name in names:
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, into / name, follow_symlinks=False)
    text = (into / "copier.yml").read_text(encoding="utf-8")
    there = yaml.safe_load(text)
    for layer, tools in PLAN.items():
        known = there[layer]["choices"].values() if layer in there else ()
        missing = [tool for tool in tools if tool not in known]
        if layer not in there:
            text = text.replace(DERIVED, f"{_question(layer)}{_choices(missing)}\n{DERIVED}")
        elif missing:
            text = _with_choices(text, layer, missing)
        for tool in missing:
            text += _answer(layer, tool)
            _folder(into / "template", layer, tool)
    (into / "copier.yml").write_text(text, encoding="utf-8")
    return into


def _question(layer: str) -> str:
    return f"{layer}:\n  type: str\n  help: {layer}\n  default: none\n  choices:\n    none: none\n"


def _choices(tools: list[str]) -> str:
    return "".join(f'    "{tool}: stands in": {tool}\n' for tool in tools)


def _with_choices(text: str, layer: str, tools: list[str]) -> str:
    """The question of a layer whose other tools are there."""
    before, question, after = text.partition(f"\n{layer}:\n")
    own, end, rest = after.partition("\n\n")
    return f"{before}{question}{own}\n{_choices(tools)}{end[1:]}{rest}"


def _answer(layer: str, tool: str) -> str:
    name = f"{layer}_{tool.replace('-', '_')}"
    return f"\n{name}:\n  type: str\n  when: false\n  default: \"[% if {layer} == '{tool}' %].[% endif %]\"\n"


def _folder(template: Path, layer: str, tool: str) -> None:
    """Files of its own, one that the kit reads, one in a folder that the base has too, one that is rendered; and one
    that the other tool of the layer has too."""
    folder = template / f"[[ {layer}_{tool.replace('-', '_')} ]]"
    for name, text in {
        f"{layer}/{tool}/README.md.jinja": f"# {tool} for [[ project_name ]]\n\n    uv run {tool}\n",
        f"{layer}/{tool}/pyproject.toml": f'[project]\nname = "{tool}"\nversion = "0"\ndependencies = ["{tool}>=1"]\n',
        f"{layer}/{tool}/run.py": f'"""Runs {tool}."""\n\nprint("{tool}")\n',
        f"{layer}/tool.yaml": f"tool: {tool}\n\n\n\n\n# where it listens\nport: 80\n",
        f"mlops.d/{tool}.yaml": f"hooks:\n  after_gate:\n    {tool}: python {layer}/{tool}/run.py\n",
        f".github/workflows/{tool}.yml": f"name: {tool}\non: workflow_dispatch\njobs: {{}}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def release_and_change(source: Path) -> None:
    """Releases the version of the source tree, and changes the template for the next."""
    must(["git", "init", "--quiet"], source)
    must(["git", "add", "--all", "--force"], source)
    must(["git", "commit", "--quiet", "--message=Start"], source)
    must([sys.executable, "scaffold/release.py"], source)
    for name, old, new in TEMPLATE_CHANGES:
        file = source / "template" / name
        text = file.read_text(encoding="utf-8")
        assert old in text, (name, old)
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
    (source / "template/docs/new.md").write_text("# New in this version\n")
    must(["git", "add", "--all"], source)
    must(["git", "commit", "--quiet", "--message=Change"], source)
