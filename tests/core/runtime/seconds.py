"""A clock that only goes when a test says so."""


class Seconds:
    """Seconds that only go forward, as `time.monotonic`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
