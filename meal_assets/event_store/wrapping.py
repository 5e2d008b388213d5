"""The one key that wraps the keys of all persons: from MEALS_KEY, or a file in MEALS_HOME made on first need."""

import os
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from hmac import digest
from pathlib import Path

from meal_assets.errors import Unavailable
from meal_assets.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
FILE = "key"


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

    Raises `Unavailable` when it is not there, or is no key.
    """
    if settings.key is not None:
        return WrappingKey(bytes.fromhex(settings.key), "MEALS_KEY")
    path = settings.home / FILE
    if make and not path.exists():
        _make(path)
    try:
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except FileNotFoundError:
        raise Unavailable(
            f"texts of persons are encrypted in this database, and the key to them is not in {path}:"
            " bring the file back from where it was made, or set MEALS_KEY to what is in it"
        ) from None
    except (OSError, ValueError) as error:
        raise Unavailable(f"the key in {path} cannot be read: {error}") from None
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
