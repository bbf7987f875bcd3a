"""CPU and memory of each process of the system, from the operating system's own accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, children included, and resident memory in MiB."""

    cpu_s: float
    rss_mib: float


def usage(pids: Mapping[str, int], *, children: bool = True) -> dict[str, Usage]:
    """What each named process has used, with its children; one that has ended is left out."""
    found = {}
    for name, pid in pids.items():
        try:
            process = psutil.Process(pid)
            family = [process, *(process.children(recursive=True) if children else [])]
            cpu = [member.cpu_times() for member in family]
            found[name] = Usage(
                cpu_s=sum(times.user + times.system for times in cpu),
                rss_mib=sum(member.memory_info().rss for member in family) / 2**20,
            )
        except psutil.NoSuchProcess:
            continue
    return found
