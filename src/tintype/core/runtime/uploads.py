"""The uploads under way in this process, counted by account so that they keep its quotas together."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

from tintype.model import Error, QuotaExceeded, Quotas, TooManyRequests, Usage


class Uploads:
    """The uploads under way in this process, by account: their number, and the bytes reserved for them."""

    def __init__(self) -> None:
        self._counts: Counter[UUID] = Counter()
        self._bytes: Counter[UUID] = Counter()

    @contextmanager
    def begin(self, account: UUID, quotas: Quotas, usage: Usage) -> Iterator["Upload"]:
        """Count an upload until the block ends.

        Args:
            account: the account.
            quotas: of the account.
            usage: of the account with this upload, without its bytes.

        Raises:
            TooManyRequests: when as many uploads of the account are under way as may be.
        """
        if quotas.uploads and self._counts[account] >= quotas.uploads:
            sentence = f"At most {quotas.uploads} uploads of an account are taken at once."
            raise TooManyRequests(sentence, retry_after=1)
        self._counts[account] += 1
        under_way = Upload(self._bytes, account, quotas, usage)
        try:
            yield under_way
        finally:
            under_way.end()
            self._counts[account] -= 1
            if not self._counts[account]:
                del self._counts[account], self._bytes[account]


class Upload:
    """One upload under way."""

    def __init__(self, under_way: Counter[UUID], account: UUID, quotas: Quotas, usage: Usage) -> None:
        self._reserved_by_account = under_way
        self._account = account
        self._quotas = quotas
        self._usage = usage
        self._reserved = 0
        self._received = 0

    def reserve(self, size: int) -> None:
        """Reserve so many bytes for it, instead of those before.

        Raises:
            QuotaExceeded: when all uploads under way together exceed the quotas.
        """
        self._set_reserved(size)
        usage = Usage(self._usage.images, self._usage.bytes + self._reserved_by_account[self._account])
        require_within_quotas(self._quotas, usage)

    def end(self) -> None:
        """Release what is reserved."""
        self._set_reserved(0)

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks, unchanged; reserves more when more bytes come than are reserved.

        Raises:
            QuotaExceeded: as `reserve`.
        """
        async for chunk in chunks:
            self._received += len(chunk)
            if self._received > self._reserved:
                self.reserve(self._received)
            yield chunk

    def _set_reserved(self, size: int) -> None:
        self._reserved_by_account[self._account] += size - self._reserved
        self._reserved = size


def require_within_quotas(quotas: Quotas, usage: Usage) -> None:
    """Require that a usage is within quotas.

    Raises:
        QuotaExceeded: when it is not.
    """
    if quotas.images and usage.images > quotas.images:
        raise _exceeded(f"{quotas.images} images")
    if quotas.bytes and usage.bytes > quotas.bytes:
        raise _exceeded(f"{quotas.bytes} bytes of originals")


def _exceeded(what: str) -> Error:
    return QuotaExceeded(f"The account may hold {what}; this would be more.")
