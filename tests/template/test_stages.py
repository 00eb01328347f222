"""What dvc.yaml says of a stage is what the stage reads."""

import ast
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template"


def imports(module: str) -> set[str]:
    """The files of `pipeline/` that a module of it needs, its own included."""
    own = {path.stem for path in (TEMPLATE / "pipeline").glob("*.py")} - {"__init__"}
    seen: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        seen.add(name)
        tree = ast.parse((TEMPLATE / "pipeline" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline"):
                named = {str(node.module).removeprefix("pipeline.")}
                named |= {alias.name for alias in node.names}
                left += [name for name in named & own if name not in seen]
    return {f"pipeline/{name}.py" for name in {"__init__", *seen}}


def test_a_stage_depends_on_the_code_that_it_runs(flights: Path) -> None:
    stages = yaml.safe_load((flights / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        code = {dep for dep in stage["deps"] if dep.startswith("pipeline/")}
        assert code == imports(name), name
