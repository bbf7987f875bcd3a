"""CPU and memory of each process of the system, from the operating system's own accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, children included, and resident memory in MiB."""

    cpu_s: float
    rss_mib: float


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """What each named process has used; one that has ended is left out."""
    found = {}
    for name, pid in pids.items():
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            times = [process.cpu_times() for process in family]
            found[name] = Usage(
                cpu_s=sum(time.user + time.system for time in times),
                rss_mib=sum(process.memory_info().rss for process in family) / 2**20,
            )
        except psutil.NoSuchProcess:
            continue
    return found
