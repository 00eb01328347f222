from pathlib import Path

import pytest

from tests.kit.small import Small


@pytest.fixture
def small(tmp_path: Path) -> Small:
    root = tmp_path / "small"
    root.mkdir()
    return Small(root)
