"""Web addresses as they may be kept for ever: without names, passwords, tokens and signatures in them."""

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_SECRET_NAME = re.compile(
    r"(?:^|[_.\-\[])(?:pass|pwd|secret|token|jwt|key|apikey|auth|authorization|sig|sign|signature|hmac|session|sid|sess"
    r"|credential|credentials|password|passwd|otp|ticket|invite|sas|hdnea|policy|security-token)(?:$|[_.\-\]])"
    r"|token|secret|password|api_?key|access_?key|sess(?:ion)?_?id|signature|credential",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|[A-Fa-f0-9]{40,}|(?=[^\d]*\d)(?=[^A-Z]*[A-Z])[\w-]{40,}=*")
"""A signed token (RFC 7519), a digest, or what is as long and as mixed as a key."""


def without_secrets(url: str) -> tuple[str, tuple[str, ...]]:
    """An http address without what may be secret, and the names of what was left out: `user` for name and password."""
    parts = urlsplit(url)
    gone = ["user"] if "@" in parts.netloc else []
    kept = []
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if pair and _is_secret(unquote(name), unquote(value)):
            gone.append(unquote(name)[:64])
        else:
            kept.append(pair)
    fragment = "" if any(_is_secret(k, v) for k, v in parse_qsl(parts.fragment)) else parts.fragment
    if fragment != parts.fragment:
        gone.append("fragment")
    if not gone:
        return url, ()
    clean = SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(kept), fragment)
    return clean.geturl(), tuple(gone)


def _is_secret(name: str, value: str) -> bool:
    return bool(value) and bool(_SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(value))
