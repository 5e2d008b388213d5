"""The one key that wraps the keys of all persons: from MEALS_KEY, or a file in MEALS_HOME made on first need."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from hmac import digest
from pathlib import Path

from meal_assets.errors import Unavailable
from meal_assets.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
FILE, NEXT = "key", "key.next"
"""In MEALS_HOME; the second one while the key is exchanged for another."""
OTHERS = 0o077
"""What a key's file must not allow to anybody but its owner."""


@dataclass(frozen=True)
class WrappingKey:
    """Wraps and unwraps keys by AES-256-GCM. `name` tells it from others, and not what it is."""

    secret: bytes
    origin: str

    @cached_property
    def name(self) -> bytes:
        return digest(self.secret, b"name", sha256)[:8]

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises `Unavailable` when another key wrapped it."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.secret).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to)
        except InvalidTag:
            raise self.other() from None

    def other(self) -> Unavailable:
        return Unavailable(
            f"the key in {self.origin} is not the one that texts of persons are encrypted with in this database:"
            " bring that one back, or set MEALS_KEY to it"
        )


def wrapping_key(settings: Settings, *, make: bool) -> WrappingKey:
    """The key of these settings. With `make`, one is made where there is none.

    Raises `Unavailable` when it is not there, is no key, or may be read by others.
    """
    if settings.key is not None:
        return WrappingKey(bytes.fromhex(settings.key), "MEALS_KEY")
    return key_in(settings.home / FILE, make=make)


def keys_at_hand(settings: Settings) -> Iterator[WrappingKey]:
    """The files that may hold the key, also while it is exchanged, as they are now."""
    if settings.key is None:
        for path in (settings.home / FILE, settings.home / NEXT):
            if path.exists():
                yield key_in(path, make=False)


def key_in(path: Path, *, make: bool) -> WrappingKey:
    """The key in a file, as `wrapping_key` says."""
    if make and not path.exists():
        _make(path)
    try:
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Unavailable(
            f"texts of persons are encrypted in this database, and the key to them is not in {path}:"
            " bring the file back from where it was made, or set MEALS_KEY to what is in it"
        ) from None
    except (OSError, ValueError) as error:
        raise Unavailable(f"the key in {path} cannot be read: {error}") from None
    if os.name == "posix" and mode & OTHERS:
        raise Unavailable(f"others may read the key in {path}: `chmod 600 {path}` keeps it to yourself")
    if len(secret) != KEY_BYTES:
        raise Unavailable(f"{path} does not hold a key of {KEY_BYTES} bytes, as {2 * KEY_BYTES} hexadecimal digits")
    return WrappingKey(secret, str(path))


def _make(path: Path) -> None:
    """A new key, whole or not at all, for this user only; one that another process made meanwhile stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{FILE}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(half, path)
        except FileExistsError:
            return
    finally:
        half.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let new names in the folder survive a power cut, as what is encrypted with a key does."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
