"""Read what the machine is doing."""

import psutil

Memory = dict[str, int | float]


def read_memory() -> Memory:
    """Return the machine's virtual memory: bytes by name, and `percent` in use.

    `total`, `available`, `percent`, `used` and `free` are there on every platform; Linux adds `active`, `inactive`,
    `buffers`, `cached`, `shared` and `slab` (psutil.virtual_memory).
    """
    return dict(psutil.virtual_memory()._asdict())
