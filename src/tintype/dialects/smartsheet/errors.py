"""The errors of smartsheet: a number, a message, and a reference."""

from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

from tintype.model import Error, Forbidden, Invalid, Kind, Malformed, TooLarge

_PARSING = "Unable to parse request. The following error occurred: {}"

# Codes and messages are the vendor's; `{}` is replaced by the message of the error.
_CODES_AND_MESSAGES = {
    Kind.NO_TOKEN: (1001, "An Access Token is required."),
    Kind.UNKNOWN_TOKEN: (1002, "Your Access Token is invalid."),
    Kind.EXPIRED_TOKEN: (1003, "Your Access Token has expired."),
    Kind.FORBIDDEN: (1004, "You are not authorized to perform this action."),
    Kind.EXPIRED_LINK: (1004, "You are not authorized to perform this action: the link has expired."),
    Kind.NOT_FOUND: (1006, "Not Found"),
    Kind.QUOTA_EXCEEDED: (1004, "You are not authorized to perform this action: {}"),
    Kind.CONFLICT: (1129, "The resource you tried to create already exists."),
    Kind.MALFORMED: (1008, _PARSING),
    Kind.INVALID: (1031, "{}"),
    Kind.RANGE_NOT_SATISFIABLE: (1031, "{}"),
    Kind.INVALID_IMAGE: (1074, "{}"),
    Kind.TOO_LARGE: (1008, _PARSING),
    Kind.TOO_MANY_REQUESTS: (4003, "Rate limit exceeded."),
    Kind.OVERLOADED: (4001, "{}"),
    Kind.METHOD_NOT_ALLOWED: (1010, "HTTP Method not supported."),
    Kind.NOT_ACCEPTABLE: (1052, "Invalid Accept header. Media type not supported."),
    Kind.UNSUPPORTED_TYPE: (1124, "Invalid Content-Type header. Media type not supported."),
    Kind.INSUFFICIENT_STORAGE: (4001, "{}"),
    Kind.ORIGINAL_MISSING: (4000, "{}"),
    Kind.INTERNAL: (4000, "{}"),
}


class SmartsheetError(Error):
    """An error that the vendor numbers more finely than by its kind.

    Args:
        about: replaces `{}` in the sentence.
    """

    code: ClassVar[int]
    sentence: ClassVar[str]

    def __init__(self, about: str = "") -> None:
        super().__init__(self.sentence.format(about))


class InvalidHeader(SmartsheetError, Malformed):
    """A required header is missing or invalid."""

    code = 1011
    sentence = "A required header was missing or invalid: {}"


class AttributeMissing(SmartsheetError, Invalid):
    """A required attribute of an object is missing."""

    code = 1012
    sentence = "A required object attribute is missing from your request: {}."


class BodyMissing(SmartsheetError, Malformed):
    """The body is empty."""

    code = 1024
    sentence = "The HTTP request body is required for this Method."


class TooManyItems(SmartsheetError, Invalid):
    """The batch has too many items."""

    code = 1061
    sentence = "Max count exceeded for field imageUrls."


class UploadTooLarge(SmartsheetError, TooLarge):
    """The file has too many bytes."""

    code = 1074
    sentence = "{}"


class SizeMismatch(SmartsheetError, Malformed):
    """The Content-Length is not the number of bytes received."""

    code = 1075
    sentence = "The Content-Length provided did not match the file uploaded."


class InvalidContentType(SmartsheetError, Malformed):
    """The Content-Type is not a media type."""

    code = 1091
    sentence = "Invalid Content-Type: {}."


class AltTextTooLong(SmartsheetError, Invalid):
    """The alternative text has too many characters."""

    code = 1165
    sentence = "Cannot add image to cell with alt text larger than {} characters."


class MayNotView(SmartsheetError, Forbidden):
    """The image doesn't exist, is archived, or belongs to another account."""

    code = 5001
    sentence = "You do not have permission to view this image."


class OAuthError(SmartsheetError, Invalid):
    """A token request is refused; `error` is the word of RFC 6749, 5.2, for clients that read it."""

    code = 1031
    sentence = "{}"
    error: ClassVar[str]


class InvalidTokenRequest(OAuthError):
    """A parameter is missing, repeated or too long."""

    error = "invalid_request"


class InvalidClient(OAuthError):
    """The app is unknown or revoked, or its secret is wrong."""

    error = "invalid_client"


class InvalidGrant(OAuthError):
    """The code or the refresh token is not valid."""

    error = "invalid_grant"


class UnsupportedGrantType(OAuthError):
    """The `grant_type` is another one."""

    error = "unsupported_grant_type"


class Failure(Struct, frozen=True, rename="camel"):
    """The body of every error, and the error of one item of a batch. `error` is only in those of OAuth."""

    error_code: int
    message: str
    ref_id: str
    error: str | UnsetType = UNSET


def failure(error: Error, ref_id: str) -> Failure:
    """An error as an object; `ref_id` is in the log too."""
    if isinstance(error, SmartsheetError):
        word = error.error if isinstance(error, OAuthError) else UNSET
        return Failure(error.code, error.message, ref_id, word)
    code, message = _CODES_AND_MESSAGES[error.kind]
    return Failure(code, message.format(error.message), ref_id)
