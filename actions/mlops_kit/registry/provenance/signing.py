"""Signatures of a version's provenance: DSSE envelopes, with keys that mlops.yaml names.

The format is that of in-toto, so that cosign and others verify it too. Keys are Ed25519, ECDSA or RSA, in PEM.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mlops_kit.base import github_env
from mlops_kit.base.errors import KitError
from mlops_kit.project.contract import FILE as CONTRACT
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Signing, SigningKey
from mlops_kit.registry.provenance import keyless
from mlops_kit.versions.record import SIGNATURE, SIGSTORE

if TYPE_CHECKING:
    from securesystemslib.signer import Key

PAYLOAD = "application/vnd.in-toto+json"
VARIABLE = github_env.SIGNING_KEY


@dataclass(frozen=True)
class Signature:
    """The result of checking a signature: the key's file, and the problem, empty if there is none."""

    key: str = ""
    problem: str = ""


def signatures(repository: Repository, signing: Signing, statement: bytes) -> dict[str, bytes]:
    """The signature files for a statement. Empty if versions are not signed here.

    Raises KitError if mlops.yaml requires a signature and there is no key, or if it does not name the key.
    """
    files = {}
    if signed := sign(statement):
        files[SIGNATURE] = signed
        _refuse_other_key(repository, signing, signed, statement)
    if signing.keyless and keyless.is_available():
        files[SIGSTORE] = keyless.sign(statement)
    if signing.required and not files:
        raise KitError(
            f"{CONTRACT} requires signatures, and {VARIABLE} is not set: nothing was registered.",
            f'In the workflow, `gh secret set {VARIABLE} < team.key`; here `export {VARIABLE}="$(cat team.key)"`.',
        )
    return files


def _refuse_other_key(repository: Repository, signing: Signing, signed: bytes, statement: bytes) -> None:
    today = datetime.now(UTC).date()
    problem = verify(repository, signing, signed.decode(), statement, today).problem if signing.keys else ""
    if problem:
        raise KitError(
            f"Nothing was registered: {problem}.",
            f"Name the public part of the key in {VARIABLE} under signing.keys in {CONTRACT}.",
        )


def sign(statement: bytes) -> bytes | None:
    """The envelope of a statement; None if the environment has no key. Raises KitError for an invalid key."""
    pem = os.environ.get(VARIABLE, "")
    if not pem.strip():
        return None
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    try:
        signer = CryptoSigner(load_pem_private_key(pem.encode(), None))
    except (ValueError, TypeError) as error:  # its text may hold a part of the key
        raise KitError(
            f"{VARIABLE} does not hold a private key in PEM without a password ({type(error).__name__}).",
            "`openssl genpkey -algorithm ed25519 -out team.key` makes one; keep it as a secret.",
        ) from None
    envelope = Envelope(statement, PAYLOAD, {})
    envelope.sign(signer)
    return (json.dumps(envelope.to_dict(), indent=1) + "\n").encode()


def verify(
    repository: Repository, signing: Signing, envelope: str, statement: bytes, made: date
) -> Signature:
    """The key in mlops.yaml that signed the statement, or why none did. `made` is the day of the version."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        signed = Envelope.from_dict(json.loads(envelope))
    except Exception as error:  # noqa: BLE001  # a file that anybody may have written
        return Signature(problem=f"{SIGNATURE} is not an envelope ({type(error).__name__})")
    if (signed.payload, signed.payload_type) != (statement, PAYLOAD):
        return Signature(problem=f"{SIGNATURE} signs another statement than the version's")
    if not signing.keys:
        return Signature(problem="")
    late = ""
    for one in signing.keys:
        try:
            signed.verify([public(repository, one)], 1)
        except VerificationError:
            continue
        if one.valid_until is None or made <= one.valid_until:
            return Signature(one.file)
        late = f"it was signed on {made} with {one.file}, which is valid until {one.valid_until}"
    names = ", ".join(one.file for one in signing.keys)
    return Signature(problem=late or f"its signature is by none of the keys in {CONTRACT} ({names})")


def public(repository: Repository, key: SigningKey) -> "Key":
    """A public key. Raises KitError if the file is missing or no key."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    text = repository.text(key.file)
    try:
        loaded: Any = load_pem_public_key((text or "").encode())
        return SSlibKey.from_crypto(loaded)
    except ValueError as error:
        problem = "is not there" if text is None else "is no public key in PEM"
        raise KitError(
            f"{key.file}, which {CONTRACT} names under signing.keys, {problem}.",
            f"`openssl pkey -in team.key -pubout -out {key.file}` writes it; commit it.",
        ) from error
