"""Pseudonyms of people: HMAC-SHA256 under a key that stays out of every round (DESIGN §10)."""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from kpi.errors import CallError, phrase

KEY_VARIABLE = "KPI_PSEUDONYM_KEY"
LENGTH = 32  # hex digits kept: 128 bits, so that a meeting of two of 50 million people is no risk
_BLOCK = 64  # bytes of a SHA-256 block (RFC 2104)


def read_key(path: Path | None = None) -> bytes:
    """Return the key of this installation, made on first use.

    ``KPI_PSEUDONYM_KEY`` wins over the key file. The file (by default in the user's configuration
    folder) is created with mode 0600 and 32 random bytes in hex. Raises CallError for a key of
    fewer than 16 characters.
    """
    text = os.environ.get(KEY_VARIABLE)
    where = f"the environment variable {KEY_VARIABLE}"
    if text is None:
        path = path or default_key_file()
        where = str(path)
        text = _read_or_make(path)
    if len(text.strip()) < 16:
        raise CallError(
            "The key for pseudonyms is too short.",
            where=where,
            found=f"{len(text.strip())} characters",
            expected="at least 16 characters that nobody can guess",
            do="Restore the key that earlier rounds were made with, or make a new one.",
        )
    return text.strip().encode()


def default_key_file() -> Path:
    """Return the key file's place in the user's configuration folder."""
    import platformdirs

    return Path(platformdirs.user_config_dir("college-kpi")) / "pseudonym.key"


def key_id(key: bytes) -> str:
    """Return the name of a key that may be written down: 12 hex digits of its own HMAC."""
    return hmac.digest(key, b"college-kpi key id", "sha256").hex()[:12]


def pseudonym(key: bytes, identifier: str) -> str:
    """Return the pseudonym of one identifier, the same in every table and round."""
    return hmac.digest(key, identifier.encode(), "sha256").hex()[:LENGTH]


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer pad of RFC 2104, for computing the HMAC inside SQL."""
    block = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    block = block.ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def _read_or_make(path: Path) -> str:
    """Return the key file's text. It appears whole, by one link: of two processes that make it at
    once one wins, and one that is killed leaves none.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                with contextlib.suppress(FileExistsError):
                    os.link(file.name, path)
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise CallError(
            "The key file for pseudonyms cannot be made or read.",
            where=str(path),
            found=str(error.strerror),
            do=phrase("Set {variable}, or make the folder writable.", variable=KEY_VARIABLE),
        ) from error
