"""Signatures of versions: with a team's key, rotated, expired, wrong and missing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import environment
from mlops_kit.project import commits, contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Signing
from mlops_kit.registry.provenance import attestation, keyless, signing, slsa
from mlops_kit.versions import record
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.builders import a_record
from tests.kit.registry.promotions import refused
from tests.kit.registry.test_provenance import rewritten
from tests.kit.tips import commit_all, kit

TODAY, STATEMENT = date(2026, 6, 1), b'{"_type": "x"}'


@pytest.fixture
def here(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(folder: Path, name: str, private: Key | None = None) -> str:
    """Write the public part, and return the private key as PEM."""
    private = private or ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(public)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signed(pem: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(signing.VARIABLE, pem)
    return (signing.sign(STATEMENT) or b"").decode()


def settings(*keys: object, required: bool = False) -> Signing:
    return Signing.model_validate({"keys": keys, "required": required})


@pytest.mark.parametrize(
    "make",
    [
        ed25519.Ed25519PrivateKey.generate,
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: rsa.generate_private_key(65537, 2048),
    ],
)
def test_a_signature_is_found_by_its_key(
    make: Callable[[], Key], here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = signed(new_key(here.root, "team.pub", make()), monkeypatch)
    assert json.loads(envelope)["payloadType"] == "application/vnd.in-toto+json"
    found = signing.verify(here, settings("team.pub"), envelope, STATEMENT, TODAY)
    assert found == signing.Signature("team.pub")


def test_of_several_keys_any_may_have_signed(here: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(here.root, "old.pub"), new_key(here.root, "new.pub")
    both = settings({"file": "old.pub", "valid_until": TODAY}, "new.pub")

    def by(pem: str, made: date) -> signing.Signature:
        return signing.verify(here, both, signed(pem, monkeypatch), STATEMENT, made)

    assert by(old, TODAY).key == "old.pub"
    assert by(new, TODAY + timedelta(days=400)).key == "new.pub"
    late = by(old, TODAY + timedelta(days=1))
    assert late.problem == "it was signed on 2026-06-02 with old.pub, which is valid until 2026-06-01"


def test_wrong_signatures_say_what_is_wrong(here: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    envelope = signed(new_key(here.root, "team.pub"), monkeypatch)
    new_key(here.root, "other.pub")
    content = json.loads(envelope)
    content["signatures"][0]["sig"] = content["signatures"][0]["sig"][::-1]
    cases = {
        "none of the keys in mlops.yaml (other.pub)": (envelope, "other.pub", STATEMENT),
        "signs another statement": (envelope, "team.pub", STATEMENT + b" "),
        "is not an envelope": ("[]", "team.pub", STATEMENT),
        "envelope (JSONDecodeError)": ("{", "team.pub", STATEMENT),
        "none of the keys": (json.dumps(content | {"signatures": []}), "team.pub", STATEMENT),
    }
    for says, (text, key, statement) in cases.items():
        assert says in signing.verify(here, settings(key), text, statement, TODAY).problem
    broken = signing.verify(here, settings("team.pub"), json.dumps(content), STATEMENT, TODAY)
    assert broken.problem
    unknown = signing.verify(here, settings(), envelope, STATEMENT, TODAY)
    assert unknown == signing.Signature()


@pytest.mark.parametrize(
    ("text", "says"), [(None, "is not there"), ("-----BEGIN", "is no public key in PEM")]
)
def test_a_public_key_that_is_none_is_named(
    text: str | None, says: str, here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = signed(new_key(here.root, "team.pub"), monkeypatch)
    if text:
        (here.root / "x.pub").write_text(text)
    with pytest.raises(KitError, match=says):
        signing.verify(here, settings("x.pub"), envelope, STATEMENT, TODAY)


def test_a_private_key_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KitError, match="does not hold a private key") as error:
        signed("-----BEGIN PRIVATE KEY-----\nabcdefgh", monkeypatch)
    assert "abcdefgh" not in error.value.what


def test_the_key_does_not_reach_the_projects_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.VARIABLE, "secret")
    assert signing.VARIABLE not in environment()


# ---- of a version ----


def signing_tips(repository: Repository, yaml: str) -> str:
    """The private key of a repository whose mlops.yaml has these settings under `signing`."""
    pem = new_key(repository.root, "keys/team.pub")
    file = repository.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}signing: {yaml}\n")
    repository.git("add", "keys")
    commit_all(repository, "Sign versions")
    return pem


def test_a_signed_version_is_registered_shown_and_promoted(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = signing_tips(gated, "{required: true, keys: [keys/team.pub]}")
    for command in ("train", "gate"):
        assert kit(gated, command).code == 0
    done = kit(gated, "register")
    assert done.code == 1
    assert "requires signatures, and MLOPS_SIGNING_KEY is not set: nothing was registered" in done.stderr
    monkeypatch.setenv(signing.VARIABLE, new_key(gated.root.parent, "other.pub"))
    done = kit(gated, "register")
    assert done.code == 1
    assert "Nothing was registered: its signature is by none of the keys" in done.stderr
    assert gated.git("tag") == ""
    monkeypatch.setenv(signing.VARIABLE, pem)
    assert kit(gated, "register").code == 0
    monkeypatch.delenv(signing.VARIABLE)
    assert "provenance  signed with keys/team.pub" in kit(gated, "show", "v0.1.0").stdout
    done = kit(gated, "promote", "v0.1.0", "--why", "x")
    assert done.code == 0, done.said

    # Somebody edits the provenance, or takes the signature away.
    rewritten(gated, "tips@v0.1.0", record.PROVENANCE, '"event": "', '"event": "x')
    assert "signs another statement than the version's" in refused(
        gated, "promote", "v0.1.0", "--stage", "staging", "--why", "x"
    )


def test_a_missing_signature_is_reported_and_refused_where_it_is_required(three: Repository) -> None:
    signing_tips(three, "{keys: [keys/team.pub]}")
    assert "provenance  not signed" in kit(three, "show", "v0.2.0").stdout
    assert kit(three, "promote", "v0.2.0", "--why", "x").code == 0
    file = three.root / "mlops.yaml"
    file.write_text(file.read_text().replace("{keys", "{required: true, keys"))
    shown = kit(three, "show", "v0.3.0").stdout
    assert (
        "NOT AS IT WAS REGISTERED: mlops.yaml requires a signature, and its provenance: not signed" in shown
    )
    assert "mlops.yaml requires a signature, and its provenance: not signed" in refused(
        three, "promote", "v0.3.0", "--why", "x"
    )


# ---- without a key: a program stands in the place of sigstore ----

PROGRAM = """\
#!/bin/sh
echo "$@" >> "$0.log"
case $1 in
  sign) [ "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" ] || { echo no identity >&2; exit 1; }
        { echo bundle of; cat "$4"; } > "$3" ;;
  verify) { echo bundle of; cat "$9"; } | cmp -s - "$4" && [ "$6" = "$ACCEPTED" ] || { echo not verified >&2; exit 1; } ;;
esac
"""
WORKFLOW = "https://github.com/acme/tips/.github/workflows/train.yml@refs/heads/main"


@pytest.fixture
def sigstore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program; its calls are in a file beside it."""
    program = tmp_path / "sigstore"
    program.write_text(PROGRAM)
    program.chmod(0o755)

    @contextmanager
    def installed(statement: bytes) -> Iterator[tuple[str, Path]]:
        folder = tmp_path / "outside"
        folder.mkdir(exist_ok=True)
        (folder / record.PROVENANCE).write_bytes(statement)
        yield str(program), folder / record.PROVENANCE

    monkeypatch.setattr(keyless, "_program", installed)
    monkeypatch.setenv("ACCEPTED", WORKFLOW)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x")
    return program


def test_sigstore_signs_where_github_gives_an_identity(
    here: Repository, sigstore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Signing.model_validate({"keyless": WORKFLOW, "required": True})
    with pytest.raises(KitError, match="requires signatures"):
        signing.signatures(here, wanted, STATEMENT)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.com")
    assert signing.signatures(here, settings(), STATEMENT) == {}
    files = signing.signatures(here, wanted, STATEMENT)
    assert list(files) == [record.SIGSTORE]
    bundle = files[record.SIGSTORE]
    assert keyless.problem(STATEMENT, bundle, WORKFLOW) == ""
    for statement, who in ((STATEMENT + b" ", WORKFLOW), (STATEMENT, WORKFLOW.replace("train", "evil"))):
        assert keyless.problem(statement, bundle, who).endswith(": not verified")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    with pytest.raises(
        KitError, match="did not sign the provenance, and nothing was registered: no identity"
    ):
        keyless.sign(STATEMENT)


def test_a_bundle_is_checked_by_the_identity_in_mlops_yaml(repository: Repository, sigstore: Path) -> None:
    made = a_record(repository.commit(), "v0.1.0")
    lock = (repository.root / "dvc.lock").read_bytes()
    files = {"dvc.lock": lock, record.FILE: made.text().encode()}
    statement = slsa.statement(repository, made, files)
    added = {**files, record.PROVENANCE: statement, record.SIGSTORE: b"bundle of\n" + statement}
    commit = commits.commit(repository, made.code.commit, dict(added), "flights v0.1.0")
    must(["git", "tag", "--annotate", "--message=x", "flights@v0.1.0", commit], repository.root)
    version = versions.find(repository, "flights", "v0.1.0")

    def found(**signing: object) -> attestation.Attestation:
        today = contract.parse({"model": "flights", "metrics": "metrics.json", "signing": signing})
        return attestation.check(repository, today, version, made)

    assert found() == attestation.Attestation("unchecked")
    assert found(keyless=WORKFLOW) == attestation.Attestation("signed", WORKFLOW)
    other = found(keyless=WORKFLOW.replace("train", "other"))
    assert other.status == "unchecked"
    assert len(other.problems) == 1 and "does not accept" in other.problems[0]
