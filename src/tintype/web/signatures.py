"""Optional signatures at the end of links: `…?Mode=Fit&Width=200&kid=<key>&sig=<signature>`.

For dialects whose vendor documents unsigned links. The exact text is signed, so a signed link has one form.
"""

import re

from tintype.core.runtime.signing import Keyring, Signature
from tintype.model import no_such_image
from tintype.web.dialect_routes import RequestTarget

_SIGNED = re.compile(r"(.+)[?&]kid=([A-Za-z0-9_-]{1,64})&sig=([A-Za-z0-9_-]{43})\Z", re.DOTALL)
_PARAMETERS = frozenset({"kid", "sig"})


def append(keyring: Keyring, dialect: str, address: str) -> str:
    """A dialect's link (path and query) with a signature appended."""
    return _write(address, keyring.sign((dialect, address)))


def detach(keyring: Keyring, dialect: str, target: RequestTarget) -> tuple[RequestTarget, bool]:
    """A dialect's link without its signature, and whether it had one.

    Raises:
        NotFound: as for a missing image, when the signature is invalid or not at the end.
    """
    match = _SIGNED.match(target.text)
    if match is None:
        if not _PARAMETERS.isdisjoint(target.query()):
            raise no_such_image()
        return target, False
    address, signature = match[1], Signature(match[2], match[3])
    if _write(address, signature) != target.text or not keyring.verify((dialect, address), signature):
        raise no_such_image()
    return RequestTarget(address), True


def _write(address: str, signature: Signature) -> str:
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}kid={signature.key}&sig={signature.mac}"
