"""How the process keeps its memory: a network's large buffers are used again, not fetched anew.

glibc hands every large buffer back to the system when a layer is done with it, and the next layer
waits while the system clears the same pages again. It also gives every thread an arena of its own,
which keeps what it has to itself. One arena that keeps what is freed serves all analyses, in less
memory, and what it keeps does not grow.

Source: the GNU C Library Reference Manual, section 3.2.3.6, Malloc Tunable Parameters.
"""

import ctypes
import sys
from typing import Final

KEPT_BYTES: Final = 512 * 2**20
# The largest threshold that glibc takes. A buffer above it is handed back as before.
LARGEST_KEPT_BYTES: Final = 32 * 2**20

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8


def keep_large_buffers() -> bool:
    """Have the process keep freed buffers of up to 32 MiB, 512 MiB in all, for the next.

    For the start of a program, before it has threads: arenas that are there stay.

    Returns:
        Whether the C library took it: False where it is not glibc, and nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    wanted = (
        (_ARENA_MAX, 1),
        (_MMAP_THRESHOLD, LARGEST_KEPT_BYTES),
        (_TRIM_THRESHOLD, KEPT_BYTES),
    )
    return all(library.mallopt(name, value) == 1 for name, value in wanted)
