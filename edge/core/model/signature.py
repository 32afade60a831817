"""Who signed a bundle: Ed25519 over `bundle.json`, which names the SHA-256 of every other file.

The file `signature` lies in the bundle and is the only one that `bundle.json` does not name. What
is signed begins with words of its own, so that nothing signed for another purpose can pass for it.
Private keys are `converter/bundle/sign.py`'s alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.errors import (
    PublicKeyError,
    SignatureFormatError,
    SignatureKeyError,
    SignatureMissingError,
    SignatureWrongError,
)

SIGNATURE = "signature"
"""The file's name in a bundle."""
LARGEST_KEY = 16384
"""Bytes of a key file."""
_DOMAIN = b"pilah bundle.json, version 1\n"
_LONGEST_FILE = 4096


class Signature(BaseModel):
    """The file `signature`: JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["ed25519"]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """Id of the key that it claims to be of."""
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
    """64 bytes, in hexadecimal digits."""

    def to_file(self) -> bytes:
        """What stands in the file."""
        return (json.dumps(self.model_dump(), indent=2) + "\n").encode()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key."""

    raw: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of its SHA-256: for people, and to find it by."""
        return hashlib.sha256(self.raw).hexdigest()[:16]


def signed_bytes(manifest: bytes) -> bytes:
    """What a signature is made over, of the exact bytes of `bundle.json`."""
    return _DOMAIN + manifest


def read_public_key(pem: bytes, *, name: str) -> PublicKey:
    """The key in a public key file.

    Args:
        name: of the file, for messages.

    Raises:
        PublicKeyError: it holds something else.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY-----" in pem:
        raise PublicKeyError(
            f"{name}: this is a private key, which signs and belongs on no station: take the .pub "
            "file beside it"
        )
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PublicKeyError(
            f"{name}: not a public key in PEM form: take the .pub file that "
            "`pilah-converter keygen` writes"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise PublicKeyError(
            f"{name}: a public key of another kind than Ed25519: make one with "
            "`pilah-converter keygen`"
        )
    return PublicKey(key.public_bytes_raw())


def read_signature(content: bytes, *, name: str) -> Signature:
    """The file `signature` of a bundle, whose form is right; whether it holds is not asked yet.

    Args:
        name: of the bundle, for messages.

    Raises:
        SignatureFormatError: it is something else.
    """
    advice = "sign the bundle again with `pilah-converter sign`"
    if len(content) > _LONGEST_FILE:
        raise SignatureFormatError(
            f"{name}: {SIGNATURE} has {len(content):,} bytes, too many for a signature: {advice}"
        )
    try:
        return Signature.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise SignatureFormatError(
            f"{name}: {SIGNATURE} is not as it must be: {where}{first['msg']}: {advice}"
        ) from error


def check_signature(
    manifest: bytes, signature: Signature | None, keys: Sequence[PublicKey], *, name: str
) -> PublicKey:
    """The key, one of `keys`, that signed these bytes of `bundle.json`.

    Args:
        name: of the bundle, for messages.

    Raises:
        SignatureMissingError: there is no signature.
        SignatureKeyError: it is of another key.
        SignatureWrongError: it is of other bytes.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    trusted = ", ".join(key.id for key in keys)
    if signature is None:
        raise SignatureMissingError(
            f"{name}: not signed, and only what key {trusted} signed is taken: sign it with "
            "`pilah-converter sign`"
        )
    named = [key for key in keys if key.id == signature.key]
    if not named:
        raise SignatureKeyError(
            f"{name}: signed with key {signature.key}, and only key {trusted} is trusted: get the "
            "bundle from whoever has that key, or trust the other one too"
        )
    for key in named:
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(
                bytes.fromhex(signature.signature), signed_bytes(manifest)
            )
        except InvalidSignature:
            continue
        return key
    raise SignatureWrongError(
        f"{name}: bundle.json is not the one that key {signature.key} signed: it was changed, or "
        "the signature is another bundle's. Copy the bundle again from where it was signed"
    )
