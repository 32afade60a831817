"""The signature of a bundle: Ed25519 over `bundle.json`, which has the SHA-256 of every other file.

The file `signature` lies in the bundle and is the only one that `bundle.json` does not name. The
signed bytes begin with a fixed prefix, so that a signature made for another purpose is not valid
here. Only `converter/bundle/sign.py` uses private keys.
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
"""The name of the signature file in a bundle."""
LARGEST_KEY = 16384
"""The largest size of a key file in bytes."""
_DOMAIN = b"pilah bundle.json, version 1\n"
_LONGEST_FILE = 4096


class Signature(BaseModel):
    """The content of the file `signature`, which is JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["ed25519"]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """The id of the key that signed, as the file claims."""
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
    """64 bytes, in hexadecimal digits."""

    def to_file(self) -> bytes:
        """The bytes of the file."""
        return (json.dumps(self.model_dump(), indent=2) + "\n").encode()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key."""

    raw: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the key's SHA-256, which identify the key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]


def signed_bytes(manifest: bytes) -> bytes:
    """The bytes that are signed for the exact bytes of `bundle.json`."""
    return _DOMAIN + manifest


def read_public_key(pem: bytes, *, name: str) -> PublicKey:
    """The key in a public key file.

    Args:
        pem: the content of the file.
        name: the name of the file in messages.

    Raises:
        PublicKeyError: the file does not hold an Ed25519 public key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY-----" in pem:
        raise PublicKeyError(
            f"{name}: this is a private key, which must not be on a station: take the .pub file "
            "beside it"
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
            f"{name}: this public key is not an Ed25519 key: make one with `pilah-converter keygen`"
        )
    return PublicKey(key.public_bytes_raw())


def read_signature(content: bytes, *, name: str) -> Signature:
    """The parsed file `signature` of a bundle; the signature itself is not checked.

    Args:
        name: the name of the bundle in messages.

    Raises:
        SignatureFormatError: the content is not a signature file.
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
            f"{name}: {SIGNATURE} has a wrong form: {where}{first['msg']}: {advice}"
        ) from error


def check_signature(
    manifest: bytes, signature: Signature | None, keys: Sequence[PublicKey], *, name: str
) -> PublicKey:
    """The key, one of `keys`, that signed these bytes of `bundle.json`.

    Args:
        name: the name of the bundle in messages.

    Raises:
        SignatureMissingError: there is no signature.
        SignatureKeyError: the signature was made with another key.
        SignatureWrongError: the signature does not match these bytes.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    trusted = ", ".join(key.id for key in keys)
    if signature is None:
        raise SignatureMissingError(
            f"{name}: not signed, and only bundles signed by key {trusted} are accepted: sign it "
            "with `pilah-converter sign`"
        )
    named = [key for key in keys if key.id == signature.key]
    if not named:
        raise SignatureKeyError(
            f"{name}: signed with key {signature.key}, and only key {trusted} is trusted: get the "
            "bundle from the owner of a trusted key, or trust this key too"
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
