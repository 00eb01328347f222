"""Provenance and bill of materials: by their schemas, the same each time, and held against the version's commit."""

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract, parse
from mlops_kit.project.lock import file_md5
from mlops_kit.project.repository import Repository
from mlops_kit.registry.provenance import bom, slsa
from mlops_kit.versions import draft, record
from mlops_kit.versions.record import Digest, Environment, File, Record

from tests.conftest import must
from tests.kit.builders import a_record, a_repository
from tests.kit.registry.promotions import refused
from tests.kit.tips import kit, registered

MODEL = Digest(path="model/model.bin", md5="c" * 32, sha256="d" * 64)
UV_LOCK = """\
version = 1
[[package]]
name = "flights"
version = "0.1.0"
source = { virtual = "." }
[[package]]
name = "Scikit_Learn"
version = "1.8.0"
source = { registry = "https://user:secret@index.example/simple" }
[[package]]
name = "polars"
version = "1.40.0"
"""


@pytest.fixture
def complete(repository: Repository) -> Record:
    (repository.root / "uv.lock").write_text(UV_LOCK)
    (repository.root / "constraints.txt").write_text(
        "numpy==2.3.1  # x\nruff[all] == 0.17 ; extra\n# a==1\n-e .\n"
    )
    must(["git", "add", "--all"], repository.root)
    must(["git", "commit", "--quiet", "--message=Lock"], repository.root)
    files = {"uv.lock": "e" * 64, "constraints.txt": "f" * 64}
    environment = Environment(files=files, python="3.11.7", platform="Linux x86_64", threads=2)
    data = [File(path="data.csv", md5="a" * 32), File(path="images", md5="b" * 32 + ".dir")]
    commit = repository.commit()
    return a_record(commit, "v0.1.0", environment=environment, data=data, digests=[MODEL])


def contract(**more: Any) -> Contract:
    return parse({"model": "flights", "metrics": "metrics.json", **more})


def test_the_statement_is_in_totos_with_slsas_predicate(repository: Repository, complete: Record) -> None:
    files = {"record.json": b"{}", "dvc.lock": b""}
    text = slsa.statement(repository, complete, files)
    assert text == slsa.statement(repository, complete, files)
    statement = json_format.Parse(text, statement_pb2.Statement())  # refuses unknown fields
    Statement.copy_from_pb(statement).validate()
    content = json.loads(text)
    predicate = json_format.ParseDict(content["predicate"], provenance_pb2.Provenance())
    assert predicate.run_details.builder.id == slsa.BY_HAND
    assert content["subject"] == [
        {"name": "model", "digest": {"dvcFolder": "4444"}},
        {
            "name": "model/model.bin",
            "digest": {"md5": "c" * 32, "sha256": "d" * 64},
            "annotations": {"sha256": "as measured by the training job"},
        },
    ]
    found = {
        one["name"]: one["digest"] for one in content["predicate"]["buildDefinition"]["resolvedDependencies"]
    }
    assert found["code"] == {"gitCommit": complete.code.commit}
    assert found["data.csv"] == {"md5": "a" * 32}
    assert found["images"] == {"dvcFolder": "b" * 32}
    assert found["uv.lock"] == {"sha256": "e" * 64}
    assert len(text) < 4000
    assert str(repository.root) not in text.decode()


def test_on_a_runner_the_builder_is_the_workflow(
    repository: Repository, complete: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/flights")
    monkeypatch.setenv("GITHUB_WORKFLOW_REF", "acme/flights/.github/workflows/train.yml@refs/heads/main")
    content = json.loads(slsa.statement(repository, complete, {}))["predicate"]
    builder = "https://github.com/acme/flights/.github/workflows/train.yml@refs/heads/main"
    assert content["runDetails"]["builder"]["id"] == builder
    assert (
        content["buildDefinition"]["resolvedDependencies"][0]["uri"] == "git+https://github.com/acme/flights"
    )


@pytest.mark.parametrize("predictions", [None, {"file": "p.csv", "task": "regression"}])
def test_the_bill_of_materials_is_cyclonedxs(
    predictions: dict[str, str] | None, repository: Repository, complete: Record
) -> None:
    named = contract(**({"predictions": predictions} if predictions else {}))
    text = bom.bom(repository, named, complete)
    assert text == bom.bom(repository, named, complete)
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode())
    content = json.loads(text)
    model = content["metadata"]["component"]
    assert (model["type"], model["name"], model["version"]) == ("machine-learning-model", "flights", "v0.1.0")
    assert [one["name"] for one in content["components"] if one["type"] == "data"] == ["data.csv", "images"]
    packages = [one["purl"] for one in content["components"] if one["type"] == "library"]
    assert packages == [
        "pkg:pypi/numpy@2.3.1",
        "pkg:pypi/polars@1.40.0",
        "pkg:pypi/ruff@0.17",
        "pkg:pypi/scikit-learn@1.8.0",
    ]
    assert "secret" not in text.decode()
    (metric,) = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metric["type"] == "model.roc_auc"
    assert metric["confidenceInterval"] == {"lowerBound": "0.6799999999999999", "upperBound": "0.72"}


@pytest.mark.parametrize(
    "lock", ["", "[[package]\n", "package = 1\n", "package = [1]\n", "[[package]]\nname = 1\n"]
)
def test_a_lock_file_that_is_none_adds_no_package(lock: str, tmp_path: Any) -> None:
    repository = a_repository(tmp_path / "flights")
    (repository.root / "uv.lock").write_text(lock)
    must(["git", "add", "--all"], repository.root)
    must(["git", "commit", "--quiet", "--message=Lock"], repository.root)
    pinned = Environment(files={"uv.lock": "e" * 64}, python=None, platform="Linux", threads=1)
    text = bom.bom(repository, contract(), a_record(repository.commit(), "v0.1.0", environment=pinned))
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode())
    assert "library" not in text.decode()


# ---- of a version ----


def test_register_writes_both_beside_the_record(gated: Repository) -> None:
    registered(gated)
    tag = "tips@v0.1.0"
    shown = {name: gated.show(tag, name) or "" for name in (record.PROVENANCE, record.BOM, record.FILE)}
    subject = json.loads(shown[record.PROVENANCE])["subject"]
    model = gated.root / "model.txt"
    assert [one["name"] for one in subject] == ["model.txt"]
    assert subject[0]["digest"] == {"md5": file_md5(model), "sha256": slsa.sha256(model.read_bytes())}
    assert not JsonStrictValidator(SchemaVersion.V1_6).validate_str(shown[record.BOM])
    assert gated.show(tag, record.SIGNATURE) is None
    done = kit(gated, "show", "v0.1.0")
    assert "  provenance  not signed\n" in done.stdout
    assert "NOT AS" not in done.stdout


def rewritten(repository: Repository, tag: str, path: str, old: str, new: str) -> None:
    """The tag stands on a commit of the same code with a file changed, here and at origin."""
    names = (
        "dvc.lock",
        "metrics.json",
        record.FILE,
        record.CARD,
        record.BOM,
        record.PROVENANCE,
        record.SIGNATURE,
    )
    texts = {name: repository.show(tag, name) for name in names}
    text = texts[path] or ""
    assert old in text
    texts[path] = text.replace(old, new)
    files = {name: content.encode() for name, content in texts.items() if content is not None}
    made = commits.commit(repository, repository.commit(f"{tag}^"), files, "Look better")
    message = repository.git("for-each-ref", "--format=%(contents)", f"refs/tags/{tag}")
    must(["git", "tag", "--force", "--annotate", f"--message={message}", tag, made], repository.root)
    must(["git", "push", "--quiet", "--force", "origin", tag], repository.root)


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (record.CARD, "tips", "best", "MODEL_CARD.md is not the file that was registered"),
        (record.BOM, '"tips"', '"best"', "bom.cdx.json is not the file that was registered"),
        (record.PROVENANCE, '"sha256": "', '"sha256": "0', "not the record's artifacts"),
        (record.PROVENANCE, '"gitCommit": "', '"gitCommit": "0', "not the record's code"),
        (record.PROVENANCE, '"version": "v0.3.0"', '"version": "v0.2.0"', "not the record's version"),
        (record.PROVENANCE, '"name": "dvc.lock"', '"name": "x"', "it does not name dvc.lock"),
        (record.PROVENANCE, '"predicate"', '"x"', "it is not a statement (KeyError)"),
        (record.PROVENANCE, "{", "[", "it is not a statement (JSONDecodeError)"),
        (record.FILE, '"sha256": "', '"sha256": "0', "record"),
    ],
)
def test_a_file_that_was_edited_is_refused(
    path: str, old: str, new: str, says: str, three: Repository
) -> None:
    if new.endswith('"0'):  # a hash keeps its length
        text = three.show("tips@v0.3.0", path) or ""
        start = text.index(old) + len(old)
        old, new = old + text[start : start + 2], new + ("1" if text[start + 1] != "1" else "2")
    rewritten(three, "tips@v0.3.0", path, old, new)
    assert says in refused(three, "promote", "v0.3.0", "--why", "x")


def test_a_version_without_provenance_is_promoted_and_said(three: Repository) -> None:
    """One that an older kit made."""
    names = ("dvc.lock", "metrics.json", record.FILE, record.CARD)
    files = {name: (three.show("tips@v0.3.0", name) or "").encode() for name in names}
    made = commits.commit(three, three.commit("tips@v0.3.0^"), dict(files), "As before")
    message = three.git("for-each-ref", "--format=%(contents)", "refs/tags/tips@v0.3.0")
    must(["git", "tag", "--force", "--annotate", f"--message={message}", "tips@v0.3.0", made], three.root)
    must(["git", "push", "--quiet", "--force", "origin", "tips@v0.3.0"], three.root)
    assert "provenance  there is none" in kit(three, "show", "v0.3.0").stdout
    done = kit(three, "promote", "v0.3.0", "--why", "x")
    assert done.code == 0, done.said


# ---- digests ----


def test_digests_must_give_the_locks_hash() -> None:
    one, two = (Digest(path=f"model/{name}", md5=name * 32, sha256=name * 64) for name in "ab")
    from mlops_kit.project.lock import folder_md5

    folder = File(path="model", md5=folder_md5({"a": "a" * 32, "b": "b" * 32}))
    assert draft.wrong_digests([folder], [one, two]) == []
    assert draft.wrong_digests([folder], []) == []
    assert draft.wrong_digests([folder], [one]) == ["model"]
    assert draft.wrong_digests([folder], [one, two.model_copy(update={"md5": "c" * 32})]) == ["model"]
    assert (
        draft.wrong_digests([File(path="m", md5="a" * 32)], [Digest(path="m", md5="a" * 32, sha256="0" * 64)])
        == []
    )
    assert draft.wrong_digests([], [one]) == ["model/a"]
