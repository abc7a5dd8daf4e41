"""ICC profiles, which are kept."""

SIZE_BYTES, SIGNATURE_AT, SIGNATURE, HEADER_BYTES = 4, 36, b"acsp", 128


def trim(profile: bytes) -> bytes:
    """The profile without the bytes behind its end; b"" if it is none (ICC.1:2022, 7.2)."""
    size = int.from_bytes(profile[:SIZE_BYTES])
    has_signature = profile[SIGNATURE_AT : SIGNATURE_AT + len(SIGNATURE)] == SIGNATURE
    return profile[:size] if has_signature and size >= HEADER_BYTES else b""
