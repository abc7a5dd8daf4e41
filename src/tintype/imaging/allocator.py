"""How the C library gives memory back: large pictures come and go on many threads."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3), as in glibc's malloc.h."""
SIZEOF_PTHREAD_ATTR = 64
"""Bytes of a pthread_attr_t, on aarch64; others have less."""
_LIBC = ctypes.CDLL(None)

LARGE = 1024 * 1024
"""Bytes from which on a piece of memory is the kernel's own again when it is freed."""


def keep_memory_flat(arenas: int) -> bool:
    """Let threads share so many arenas, and give back at once what is large; for this process, from now on.

    By itself glibc gives every thread an arena (to eight a core), each of which keeps the most it ever
    needed, and keeps pieces of a size that was freed once, as that may soon be wanted again.

    Args:
        arenas: 1 or more; 0 changes nothing.

    Returns:
        Whether it took effect: a C library other than glibc has none of this.
    """
    mallopt = getattr(_LIBC, "mallopt", None)
    if arenas == 0 or mallopt is None:
        return False
    wanted = ((M_ARENA_MAX, arenas), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE))
    return all(mallopt(parameter, value) for parameter, value in wanted)


def give_back() -> None:
    """Let the kernel have what is free by now."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_stacks_small(bytes_each: int) -> None:
    """Give the threads that libraries start stacks of so many bytes, where glibc says how large they are."""
    set_default = getattr(_LIBC, "pthread_setattr_default_np", None)
    if set_default is not None:
        attributes = ctypes.create_string_buffer(SIZEOF_PTHREAD_ATTR)
        _LIBC.pthread_attr_init(attributes)
        _LIBC.pthread_attr_setstacksize(attributes, ctypes.c_size_t(bytes_each))
        set_default(attributes)
        _LIBC.pthread_attr_destroy(attributes)
