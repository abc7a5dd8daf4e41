"""Settings of the C library's allocator, so that freed memory goes back to the kernel."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3), as in glibc's malloc.h."""
SIZEOF_PTHREAD_ATTR = 64
"""Size of pthread_attr_t on aarch64; smaller on other architectures."""
_LIBC = ctypes.CDLL(None)

LARGE = 1024 * 1024
"""Allocations of at least this many bytes go back to the kernel when they are freed."""


def limit_arenas(arenas: int) -> bool:
    """Limit the number of malloc arenas of this process, and return large allocations at once.

    By default glibc has an arena per thread (up to eight per core), each of which keeps its peak size, and
    it raises its threshold for returning memory whenever a large allocation is freed.

    Args:
        arenas: maximum number of arenas; 0 changes nothing.

    Returns:
        Whether it took effect: only glibc has these options.
    """
    mallopt = getattr(_LIBC, "mallopt", None)
    if arenas == 0 or mallopt is None:
        return False
    wanted = ((M_ARENA_MAX, arenas), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE))
    return all(mallopt(parameter, value) for parameter, value in wanted)


def trim() -> None:
    """Return free memory to the kernel (malloc_trim)."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


def set_stack_size(bytes_each: int) -> None:
    """Set the stack size of threads that libraries start; only glibc supports it."""
    set_default = getattr(_LIBC, "pthread_setattr_default_np", None)
    if set_default is not None:
        attributes = ctypes.create_string_buffer(SIZEOF_PTHREAD_ATTR)
        _LIBC.pthread_attr_init(attributes)
        _LIBC.pthread_attr_setstacksize(attributes, ctypes.c_size_t(bytes_each))
        set_default(attributes)
        _LIBC.pthread_attr_destroy(attributes)
