"""Columns of which no value is ever said: what params.yaml keeps out of the predictions log."""

from mlops_kit.base.documents import parse_yaml
from mlops_kit.project.pipeline import PARAMS
from mlops_kit.project.repository import Repository

SECTION, KEY = "predictions_log", "masked"


def masked(repository: Repository) -> list[str]:
    """None where the pipeline is not ours, or names none; its log may still list some in its lines."""
    path = repository.root / PARAMS
    content = parse_yaml(path.read_text(encoding="utf-8"), PARAMS) if path.is_file() else {}
    section = content.get(SECTION)
    names = section.get(KEY) if isinstance(section, dict) else None
    return [str(one) for one in names] if isinstance(names, list) else []
