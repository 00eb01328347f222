"""The launcher `actions/mlops-kit`: whose environment it makes, and of what."""

import os
import shutil
from pathlib import Path

import pytest
from mlops_kit import VERSION

from tests import uv_with_cache
from tests.conftest import ROOT, must, run

ACTIONS = ROOT / "actions"
FEW = "requirements-without-tables.txt"
# Sets nothing up: it writes down what it was asked, where, and with which variables of its own.
RECORDER = """#!/bin/sh
{ echo "in $PWD"; for word in "$@"; do echo "word $word"; done; env | grep '^UV_'; } >> "$RECORD"
while [ "$1" != --cache-dir ]; do [ $# -gt 1 ] || exit 1; shift; done
ls -A "$2" | sed 's/^/cached /' >> "$RECORD"
exit 0
"""
HOSTILE = {  # what decides what uv installs, and from where
    "UV_CACHE_DIR": "cache",
    "UV_CONFIG_FILE": "uv.toml",
    "UV_FIND_LINKS": "links",
    "UV_EXTRA_INDEX_URL": "http://127.0.0.1:9/simple",
    "UV_INSECURE_HOST": "127.0.0.1",
    "UV_NO_VERIFY_HASHES": "1",
    "UV_OVERRIDE": "overrides.txt",
    "UV_PYTHON": "./evil",
    "UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9",
    "UV_PROJECT": ".",
    "UV_WORKING_DIR": ".",
}


@pytest.fixture(autouse=True)
def _cached(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded, except where a test asks for `downloads`."""
    if "downloads" not in request.fixturenames:
        (tmp_path / "uv").mkdir()
        monkeypatch.setenv("PATH", uv_with_cache.put(tmp_path / "uv"))


@pytest.fixture
def downloads() -> None:
    """uv as it is on a runner."""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A checkout that tells uv, in each of its files, to run `./evil`, and to ask an index that does not answer."""
    checkout = tmp_path / "checkout"
    (checkout / "work").mkdir(parents=True)
    evil = checkout / "evil"
    evil.write_text(f'#!/bin/sh\ntouch {tmp_path}/owned\nexec python3 "$@"\n')
    evil.chmod(0o755)
    settings = 'index-url = "http://127.0.0.1:9/simple"\n'
    (checkout / "work/uv.toml").write_text(f'{settings}[pip]\npython = "{evil}"\nverify-hashes = false\n')
    (checkout / "pyproject.toml").write_text(f'[tool.uv]\n{settings}[tool.uv.pip]\npython = "{evil}"\n')
    (checkout / "work/.python-version").write_text(f"{evil}\n")
    (checkout / "work/.env").write_text("UV_INDEX_URL=http://127.0.0.1:9/simple\n")
    (checkout / "work/.venv").symlink_to(checkout)
    return checkout / "work"


def asked(at: Path, tmp_path: Path, **variables: str) -> list[str]:
    """What the launcher asks uv, in a job whose checkout this is."""
    programs, record = tmp_path / "recorder", tmp_path / "record"
    kit = tmp_path / "kit"
    for folder in (programs, tmp_path / "job", kit):
        folder.mkdir()
    for name in ("mlops-kit", "requirements.txt"):
        shutil.copy(ACTIONS / name, kit)
    (programs / "uv").write_text(RECORDER)
    (programs / "uv").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    job = {"RUNNER_TEMP": str(tmp_path / "job"), "RECORD": str(record), "PATH": path}
    run(["sh", kit / "mlops-kit", "--version"], at, **(job | variables))
    return record.read_text("utf-8").splitlines()


def test_in_a_job_neither_settings_nor_variables_nor_a_cache_reach_uv(hostile: Path, tmp_path: Path) -> None:
    lines = asked(
        hostile, tmp_path, **HOSTILE, UV_DEFAULT_INDEX="https://mirror.example/simple", UV_OFFLINE="1"
    )
    assert lines.count("in /") == 2, lines  # uv venv and uv pip sync, outside of the checkout
    words = [line.removeprefix("word ") for line in lines if line.startswith("word ")]
    assert words.count("--no-config") == 2
    caches = {words[at + 1] for at, word in enumerate(words) if word == "--cache-dir"}
    (cache,) = caches
    assert Path(cache).parent == tmp_path / "job" and not Path(cache).exists()
    assert [line for line in lines if line.startswith("cached ")] == []
    assert {"--require-hashes", "--no-build", "--no-project"} <= set(words)
    assert {line.partition("=")[0] for line in lines if line.startswith("UV_")} == {
        "UV_DEFAULT_INDEX",
        "UV_OFFLINE",
    }


def test_on_a_laptop_uv_runs_outside_of_the_repository_and_has_the_persons_settings(
    hostile: Path, tmp_path: Path
) -> None:
    lines = asked(hostile, tmp_path, RUNNER_TEMP="", UV_CACHE_DIR="/cache")
    assert "in /" in lines and "UV_CACHE_DIR=/cache" in lines
    assert "word --no-config" not in lines


@pytest.mark.environment
def test_a_hostile_checkout_and_a_poisoned_cache_decide_nothing(
    hostile: Path, tmp_path: Path, downloads: None
) -> None:
    """uv does not hash what it finds in its cache: one that the job that trains has written to runs what that wrote."""
    cache, venv, job = tmp_path / "cache", tmp_path / "venv", tmp_path / "job"
    job.mkdir()
    must(["uv", "venv", "--quiet", "--no-project", venv], tmp_path)
    sync = ["uv", "pip", "sync", "--quiet", "--require-hashes", "--python", venv, ACTIONS / FEW]
    must(sync, tmp_path, UV_CACHE_DIR=str(cache))
    (click,) = cache.glob("archive-v*/*/click/__init__.py")
    poisoned = click.read_text() + f"\nopen({str(tmp_path / 'owned')!r}, 'w').close()\n"
    click.unlink()  # a link to what another environment has
    click.write_text(poisoned)
    variables = {"RUNNER_TEMP": str(job), "MLOPS_KIT_TABLES": "false", "UV_CACHE_DIR": str(cache)}
    done = run(["sh", ACTIONS / "mlops-kit", "--version"], hostile, **variables)
    assert done.said == f"mlops-kit, version {VERSION}\n"
    assert not (tmp_path / "owned").exists()
    assert sorted(path.name for path in job.iterdir()) == [".venv-mlops-kit"]


@pytest.mark.environment
def test_the_launcher_makes_its_environment_once(tmp_path: Path) -> None:
    launcher = ["sh", ACTIONS / "mlops-kit", "--version"]
    first = run(launcher, tmp_path, RUNNER_TEMP=str(tmp_path))
    assert first.stdout == f"mlops-kit, version {VERSION}\n", first.said
    made = (tmp_path / ".venv-mlops-kit/requirements.txt").stat().st_mtime_ns
    assert run(launcher, tmp_path, RUNNER_TEMP=str(tmp_path)).code == 0
    assert (tmp_path / ".venv-mlops-kit/requirements.txt").stat().st_mtime_ns == made


@pytest.mark.environment
def test_a_job_may_go_without_what_reads_tables(tmp_path: Path) -> None:
    """What its steps then run is not made anew by those that say nothing, and says so where it lacks something."""
    launcher, of_a_job = ["sh", ACTIONS / "mlops-kit"], {"RUNNER_TEMP": str(tmp_path)}
    assert run([*launcher, "--version"], tmp_path, **of_a_job, MLOPS_KIT_TABLES="false").code == 0
    packages = next((tmp_path / ".venv-mlops-kit/lib").glob("python3*/site-packages"))
    assert not list(packages.glob("numpy*")) + list(packages.glob("pyarrow*"))
    said = run([*launcher, "monitor", "check"], tmp_path, **of_a_job)
    assert (said.code, "tables: false" in said.said) == (1, True), said.said
    assert run([*launcher, "--version"], tmp_path, **of_a_job, MLOPS_KIT_TABLES="true").code == 0
    assert (packages / "numpy").is_dir()


def kit_of(tmp_path: Path, name: str) -> Path:
    """A checkout of our actions, as a job has it."""
    shutil.copytree(ACTIONS, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / name


def launched(sources: Path, job: Path) -> str:
    done = run(
        ["sh", sources / "mlops-kit", "--version"], job, RUNNER_TEMP=str(job), PYTHONDONTWRITEBYTECODE="1"
    )
    return done.said.strip()


@pytest.mark.environment
def test_a_job_compiles_the_kit_once_and_not_beside_its_sources(tmp_path: Path) -> None:
    """Sources that are in a repository, as with --kit vendored, would make its tree dirty."""
    sources = kit_of(tmp_path, "actions")
    assert launched(sources, tmp_path) == f"mlops-kit, version {VERSION}"
    assert list(sources.rglob("*.pyc")) == []
    assert list((tmp_path / ".venv-mlops-kit").rglob("mlops_kit/cli/__pycache__/main.*.pyc"))


@pytest.mark.environment
def test_the_same_kit_of_another_action_is_not_compiled_again(tmp_path: Path) -> None:
    """A runner may check out each action into a folder of its own, as act does."""
    one, other = kit_of(tmp_path, "setup"), kit_of(tmp_path, "gate")
    launched(one, tmp_path)
    (compiled,) = (tmp_path / ".venv-mlops-kit").rglob("mlops_kit/cli/__pycache__/main.*.pyc")
    before = compiled.stat().st_ino
    launched(other, tmp_path)
    assert compiled.stat().st_ino == before


@pytest.mark.environment
def test_the_ref_of_an_action_is_the_kit_that_runs_whatever_ran_before(tmp_path: Path) -> None:
    one, other = kit_of(tmp_path, "v1"), kit_of(tmp_path, "v2")
    version = other / "mlops_kit/__init__.py"
    version.write_text(version.read_text().replace(VERSION, "9.9.9"))
    said = [launched(sources, tmp_path) for sources in (one, other, one, other)]
    assert [words.split()[-1] for words in said] == [VERSION, "9.9.9", VERSION, "9.9.9"]


@pytest.mark.environment
def test_a_kit_that_was_updated_in_place_runs_as_it_is_now(tmp_path: Path) -> None:
    sources = kit_of(tmp_path, "actions")
    assert launched(sources, tmp_path).endswith(VERSION)
    (sources / "mlops_kit/__init__.py").write_text('"""Another."""\n\nVERSION = "9.9.9"\n')
    assert launched(sources, tmp_path).endswith("9.9.9")
    (sources / "mlops_kit/doctor/kit_version.py").unlink()
    assert (
        "kit_version" in run(["sh", sources / "mlops-kit", "train"], tmp_path, RUNNER_TEMP=str(tmp_path)).said
    )


@pytest.mark.environment
def test_no_module_of_the_repository_runs_in_the_place_of_the_kits(tmp_path: Path) -> None:
    """The job that may write runs no code of the repository, not even by its name."""
    for name in ("json", "click", "mlops_kit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the repository ran')\n")
    assert launched(ACTIONS, tmp_path) == f"mlops-kit, version {VERSION}"


def test_without_uv_the_launcher_says_so(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    for name in ("dirname", "cmp"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = run(["sh", ACTIONS / "mlops-kit"], tmp_path, RUNNER_TEMP=str(tmp_path), PATH=str(tmp_path))
    assert done.code == 1
    assert "uv is not on the PATH" in done.stderr
