"""Keys and signed bundles, for tests to use or to tamper with."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.core.model.signature import PublicKey, Signature, signed_bytes


class Key:
    """A key whose seed is one byte, so that a test's failure can be repeated."""

    def __init__(self, seed: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    @property
    def id(self) -> str:
        return self.public.id

    @property
    def public_pem(self) -> bytes:
        return self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def signature(self, manifest: bytes, *, prefix: bool = True) -> Signature:
        """Of these bytes of `bundle.json`; without the prefix, as another program might sign."""
        message = signed_bytes(manifest) if prefix else manifest
        return Signature(
            algorithm="ed25519", key=self.id, signature=self._private.sign(message).hex()
        )

    def sign(self, bundle: Path) -> Path:
        """Signs the bundle's folder, and returns it."""
        manifest = (bundle / "bundle.json").read_bytes()
        (bundle / "signature").write_bytes(self.signature(manifest).to_file())
        return bundle


OURS, THEIRS = Key(1), Key(2)
