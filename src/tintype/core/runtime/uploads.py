"""The uploads under way in this process, counted by account, so that nobody fills the disk with them."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

from tintype.model import Error, Kind, Quotas, Usage


class Uploads:
    """The uploads that are under way in this process, by account: how many, and the bytes they take."""

    def __init__(self) -> None:
        self._count: Counter[UUID] = Counter()
        self._bytes: Counter[UUID] = Counter()

    @contextmanager
    def begin(self, account: UUID, allowed: Quotas, held: Usage) -> Iterator["Upload"]:
        """One more, until the block ends; `held`: what the account would hold with it, but for its bytes.

        Raises:
            Error: TOO_MANY_REQUESTS, QUOTA_EXCEEDED.
        """
        if allowed.uploads and self._count[account] >= allowed.uploads:
            sentence = f"At most {allowed.uploads} uploads of an account are taken at once."
            raise Error(Kind.TOO_MANY_REQUESTS, sentence, retry_after=1)
        self._count[account] += 1
        under_way = Upload(self._bytes, account, allowed, held)
        try:
            yield under_way
        finally:
            under_way.end()
            self._count[account] -= 1
            if not self._count[account]:
                del self._count[account], self._bytes[account]


class Upload:
    """One upload under way."""

    def __init__(self, under_way: Counter[UUID], account: UUID, allowed: Quotas, held: Usage) -> None:
        self._under_way = under_way
        self._account = account
        self._allowed = allowed
        self._held = held
        self._expected = 0
        self._arrived = 0

    def expect(self, size: int) -> None:
        """Count it with so many bytes from now on.

        Raises:
            Error: QUOTA_EXCEEDED when all that are under way don't fit.
        """
        self._count(size)
        held = Usage(self._held.images, self._held.bytes + self._under_way[self._account])
        require_within_quotas(self._allowed, held)

    def end(self) -> None:
        """Count it no more."""
        self._count(0)

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes as they come, counted where more come than were expected.

        Raises:
            Error: QUOTA_EXCEEDED.
        """
        async for chunk in chunks:
            self._arrived += len(chunk)
            if self._arrived > self._expected:
                self.expect(self._arrived)
            yield chunk

    def _count(self, size: int) -> None:
        self._under_way[self._account] += size - self._expected
        self._expected = size


def require_within_quotas(allowed: Quotas, held: Usage) -> None:
    """Raise QUOTA_EXCEEDED for an account that holds, or would hold, more than it may."""
    if allowed.images and held.images > allowed.images:
        raise _exceeded(f"{allowed.images} images")
    if allowed.bytes and held.bytes > allowed.bytes:
        raise _exceeded(f"{allowed.bytes} bytes of originals")


def _exceeded(what: str) -> Error:
    return Error(Kind.QUOTA_EXCEEDED, f"The account may hold {what}; this would be more.")
