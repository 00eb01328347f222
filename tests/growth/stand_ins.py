"""A source tree whose template has a tier for every layer and tool of the plan."""

import shutil
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
        if layer not in there:
            text = text.replace(DERIVED, _question(layer, tools) + DERIVED)
            for tool in tools:
                text += _answer(layer, tool)
                _folder(into / "template", layer, tool)
    (into / "copier.yml").write_text(text, encoding="utf-8")
    return into


def _question(layer: str, tools: tuple[str, ...]) -> str:
    choices = "".join(f'    "{tool}: stands in": {tool}\n' for tool in tools)
    return f"{layer}:\n  type: str\n  help: {layer}\n  default: none\n  choices:\n    none: none\n{choices}\n"


def _answer(layer: str, tool: str) -> str:
    name = f"{layer}_{tool.replace('-', '_')}"
    return f"\n{name}:\n  type: str\n  when: false\n  default: \"[% if {layer} == '{tool}' %].[% endif %]\"\n"


def _folder(template: Path, layer: str, tool: str) -> None:
    """A file of its own, one that the kit reads, one in a folder that the base has too, one that is rendered."""
    folder = template / f"[[ {layer}_{tool.replace('-', '_')} ]]"
    for name, text in {
        f"{layer}/{tool}/README.md.jinja": f"# {tool} for [[ project_name ]]\n\n    uv run {tool}\n",
        f"{layer}/{tool}/pyproject.toml": f'[project]\nname = "{tool}"\nversion = "0"\ndependencies = ["{tool}>=1"]\n',
        f"{layer}/{tool}/run.py": f'"""Runs {tool}."""\n\nprint("{tool}")\n',
        f"mlops.d/{tool}.yaml": f"hooks:\n  after_gate:\n    {tool}: python {layer}/{tool}/run.py\n",
        f".github/workflows/{tool}.yml": f"name: {tool}\non: workflow_dispatch\njobs: {{}}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
