"""Keys, and the signatures of bundles that are made with them.

`edge/core/model/signature.py` checks them.
"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from converter.errors import KeyInBundleError, KeyModeError, PrivateKeyError, SignedAlreadyError
from edge.core.errors import StorageError
from edge.core.files import read_regular, storage_errors, write_file
from edge.core.model.bundle import MANIFEST, Bundle, read_bundle
from edge.core.model.signature import LARGEST_KEY, SIGNATURE, PublicKey, Signature, signed_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def public_file(key_file: Path) -> Path:
    """Where the public key of `key_file` lies."""
    return key_file.with_name(f"{key_file.name}.pub")


def make_key(key_file: Path) -> PublicKey:
    """A new key, in `key_file`, which only its owner can read, and its public part beside it.

    Raises:
        StorageError: one of the two is there already, or cannot be written. Neither is made then.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = public_file(key_file)
    for file in (key_file, public):
        if file.exists():
            raise StorageError(
                f"{file} is there already, and a key that is lost cannot be made again: choose "
                "another name"
            )
    key = Ed25519PrivateKey.generate()
    write_file(
        key_file,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        replace=False,
        mode=0o600,
    )
    try:
        write_file(
            public,
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            replace=False,
        )
    except BaseException:
        key_file.unlink()
        raise
    return PublicKey(key.public_key().public_bytes_raw())


def sign_bundle(path: Path, key_file: Path, *, replace: bool = False) -> Bundle:
    """The bundle in the folder or zip file `path`, which has been signed and read back.

    Args:
        key_file: the private key.
        replace: take the place of a signature that is there.

    Raises:
        KeyInBundleError: a private key lies in the bundle, this one or another.
        KeyModeError: others can read `key_file`.
        PrivateKeyError: it holds no Ed25519 private key.
        BundleError: the bundle is not whole.
        SignedAlreadyError: it has a signature, and `replace` is off.
        StorageError: a file cannot be read or written. The bundle is as it was.
    """
    if path.resolve() in key_file.resolve().parents:
        raise KeyInBundleError(
            f"{key_file} lies in the bundle {path}, which is there to be given away: move the key "
            "to where nobody else looks. If others had the bundle already, make a new key"
        )
    key = _private_key(key_file)
    bundle = read_bundle(path)
    for name, content in bundle.files.items():
        if b"PRIVATE KEY-----" in content:
            raise KeyInBundleError(
                f"{path}: {name} holds a private key: make the bundle without it, and a new key "
                "if others had the bundle already"
            )
    if bundle.signature is not None and not replace:
        raise SignedAlreadyError(
            f"{path} is signed with key {bundle.signature.key} already: sign it anew with --replace"
        )
    public = PublicKey(key.public_key().public_bytes_raw())
    content = Signature(
        algorithm="ed25519",
        key=public.id,
        signature=key.sign(signed_bytes(bundle.files[MANIFEST])).hex(),
    ).to_file()
    if path.is_dir():
        write_file(path / SIGNATURE, content)
    else:
        write_file(path, _zip_with(path, content))
    return read_bundle(path, keys=[public])


def _private_key(file: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with storage_errors("read", file):
        pem = read_regular(file, largest=LARGEST_KEY)
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & _OTHERS:
            raise KeyModeError(
                f"{file}: others than its owner may use this private key (mode {mode:04o}): "
                f"chmod 600 {file}"
            )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: has a password
        raise PrivateKeyError(
            f"{file}: not a private key in PEM form without a password: take one that "
            "`pilah-converter keygen` wrote"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PrivateKeyError(
            f"{file}: a private key of another kind than Ed25519: make one with "
            "`pilah-converter keygen`"
        )
    return key


def _zip_with(path: Path, signature: bytes) -> bytes:
    """The zip file of a bundle with this signature, in place of the one that it may have."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(made, "w") as after:
        members = before.infolist()
        around = next(
            member.filename.removesuffix(MANIFEST)
            for member in members
            if member.filename in (MANIFEST, f"{member.filename.partition('/')[0]}/{MANIFEST}")
        )
        for member in members:
            if member.filename != around + SIGNATURE:
                after.writestr(member, before.read(member))
        after.writestr(around + SIGNATURE, signature)
    return made.getvalue()
