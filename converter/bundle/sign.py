"""Makes Ed25519 keys and signs bundles with them.

`edge/core/model/signature.py` checks them.
"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from converter.errors import AlreadySignedError, KeyInBundleError, KeyModeError, PrivateKeyError
from edge.core.errors import StorageError
from edge.core.files import read_regular, storage_errors, write_file
from edge.core.model.bundle import MANIFEST, Bundle, read_bundle
from edge.core.model.signature import LARGEST_KEY, SIGNATURE, PublicKey, Signature, signed_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def public_file(key_file: Path) -> Path:
    """The path of the public key that belongs to the private key `key_file`."""
    return key_file.with_name(f"{key_file.name}.pub")


def make_key(key_file: Path) -> PublicKey:
    """Writes a new private key to `key_file`, and its public part beside it.

    Only the owner can read the private key.

    Raises:
        StorageError: one of the two files exists already or cannot be written; then neither is
            left.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = public_file(key_file)
    for file in (key_file, public):
        if file.exists():
            raise StorageError(
                f"{file} is there already, and a key that is overwritten is lost for ever: choose "
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
    """Signs the bundle in the folder or zip file `path`, and reads it back.

    Args:
        path: the bundle.
        key_file: the file of the private key.
        replace: replaces a signature that is already there.

    Raises:
        KeyInBundleError: a private key is in the bundle, this one or another.
        KeyModeError: users other than the owner can read `key_file`.
        PrivateKeyError: `key_file` contains no Ed25519 private key.
        BundleError: the bundle is damaged or incomplete.
        AlreadySignedError: the bundle has a signature, and `replace` is off.
        StorageError: a file cannot be read or written. The bundle is left as it was.
    """
    if path.resolve() in key_file.resolve().parents:
        raise KeyInBundleError(
            f"{key_file} is inside the bundle {path}, which is meant to be given to others: move "
            "the key to a safe place. If others had the bundle already, make a new key"
        )
    key = _private_key(key_file)
    bundle = read_bundle(path)
    for name, content in bundle.files.items():
        if b"PRIVATE KEY-----" in content:
            raise KeyInBundleError(
                f"{path}: {name} contains a private key: make the bundle without it, and make a "
                "new key if others had the bundle already"
            )
    if bundle.signature is not None and not replace:
        raise AlreadySignedError(
            f"{path} is already signed with key {bundle.signature.key}: to replace the signature, "
            "use --replace"
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
                f"{file}: users other than its owner can read or change this private key (mode "
                f"{mode:04o}). Run: chmod 600 {file}"
            )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: has a password
        raise PrivateKeyError(
            f"{file}: this is not a private key in PEM form without a password: give a key that "
            "`pilah-converter keygen` has written"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PrivateKeyError(
            f"{file}: this private key is of another kind than Ed25519: make one with "
            "`pilah-converter keygen`"
        )
    return key


def _zip_with(path: Path, signature: bytes) -> bytes:
    """The bytes of a bundle's zip file with this signature instead of the one it may have."""
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
