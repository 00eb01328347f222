"""Columns that params.yaml keeps out of the predictions log. No value of them is ever shown."""

from mlops_kit.base.documents import parse_yaml
from mlops_kit.project.pipeline import PARAMS
from mlops_kit.project.repository import Repository

SECTION, KEY = "predictions_log", "masked"


def masked(repository: Repository) -> list[str]:
    """Empty if params.yaml names none. The lines of a log may list some as well."""
    path = repository.root / PARAMS
    content = parse_yaml(path.read_text(encoding="utf-8"), PARAMS) if path.is_file() else {}
    section = content.get(SECTION)
    names = section.get(KEY) if isinstance(section, dict) else None
    return [str(one) for one in names] if isinstance(names, list) else []
