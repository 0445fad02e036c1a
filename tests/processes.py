"""What Linux tells of processes: whether they run, what they have open, who is at it."""

import contextlib
from pathlib import Path

LISTENING, ESTABLISHED = "0A", "01"  # as /proc/net/tcp writes them


def ends(port: int, state: str) -> dict[int, str]:
    """Return the sockets of a local port in a state, by the port of the other end."""
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, how, *rest = line.split()
        if how == state and int(local.partition(":")[2], 16) == port:
            found[int(remote.partition(":")[2], 16)] = f"socket:[{rest[5]}]"
    return found


def files(pid: int) -> set[str]:
    """Return what a process has open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
