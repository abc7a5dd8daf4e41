"""File names in Content-Disposition, in all the ways in which clients of the vendor send them."""

import binascii
import re
from contextlib import suppress
from urllib.parse import unquote, unquote_plus

from tintype.web.bodies import disposition_filenames, extended_value

MAX_ENCODED = 4096
"""The longest encoded name that is decoded, in characters: names are cut to 255, each of up to 12 encoded."""

# What java.net.URLEncoder leaves as it is, and its escapes; `+` is its space. `%22` is a quote here already.
_FORM_ENCODED = re.compile(r"(?:[A-Za-z0-9.*_+\"-]|%[0-9A-Fa-f]{2})*\Z")
_PERCENT_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*\Z", re.DOTALL)
# RFC 2047, 2; with blanks, which some encoders leave in.
_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_-]{1,40})(?:\*[A-Za-z0-9-]{0,40})?\?([BbQq])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]+(?==\?)")
# Others, such as `unicode_escape`, are Python's and no charsets.
_CHARSET = re.compile(
    r"(?:utf-?8|(?:us-)?ascii|iso-8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|gbk|gb2312|gb18030|big5"
    r"|shift[_-]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr))\Z",
    re.IGNORECASE,
)


def parse_filename(disposition: str) -> str | None:
    """The file name in a Content-Disposition; None without one.

    `filename*` is read by RFC 8187. `filename` is decoded if it was encoded by RFC 8187 or 2047, or with
    percent signs; what doesn't decode as a whole stays as it is. A `+` is a space only where all of the name
    is encoded as a form is, as the vendor's Java client does.
    """
    extended, plain = disposition_filenames(disposition)
    if extended is not None or plain is None or len(plain) > MAX_ENCODED:
        return extended or plain
    return extended_value(plain) or _decode_words(plain) or _decode_percents(plain)


def _decode_words(text: str) -> str | None:
    """Text with encoded words (RFC 2047) decoded; None if there are none, or one that can't be decoded."""
    if not _ENCODED_WORD.search(text):
        return None
    with suppress(ValueError, LookupError):
        return _ENCODED_WORD.sub(lambda word: _decode_word(*word.groups()), _BETWEEN_WORDS.sub("", text))
    return None


def _decode_word(charset: str, encoding: str, encoded: str) -> str:
    if not _CHARSET.match(charset):
        raise LookupError(charset)
    if encoding in "Bb":
        return binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4), strict_mode=True).decode(charset)
    return binascii.a2b_qp(encoded, header=True).decode(charset)


def _decode_percents(text: str) -> str:
    if not _PERCENT_ENCODED.match(text):
        return text
    decode = unquote_plus if "%" in text and _FORM_ENCODED.match(text) else unquote
    with suppress(UnicodeDecodeError):
        return decode(text, errors="strict")
    return text
