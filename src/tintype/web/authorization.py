"""The token in an Authorization header."""

import re

_BEARER = re.compile(r"bearer[ \t]+(\S+)", re.IGNORECASE)


def bearer_token(header: str, *, scheme_required: bool = True) -> str | None:
    """The token after the scheme `Bearer`, in any case (RFC 6750, 2.1), and spaces or tabs.

    Without the scheme, or with more than one word after it, None; or, if the scheme is not required,
    the whole header, without spaces around it.
    """
    value = header.strip()
    match = _BEARER.fullmatch(value)
    if match is None:
        return None if scheme_required else value
    return match[1]
