"""Who holds a port, as far as /proc tells."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

_LISTENING = "0A"
_STATE, _INODE = 3, 9


class PortHolder(Struct, frozen=True):
    """A program that listens."""

    pid: int
    program: str

    def __str__(self) -> str:
        return f"pid {self.pid}, {self.program}"


def holder_of(port: int, proc: Path = Path("/proc")) -> PortHolder | None:
    """The program that listens on a TCP port of this machine; None where it is not ours to see."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port, proc)}
    if not sockets:
        return None
    for process in sorted(path for path in proc.iterdir() if path.name.isdigit()):
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return PortHolder(int(process.name), (process / "comm").read_text().strip())
        except OSError:  # gone meanwhile, or another's
            continue
    return None


def _listening_inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in (proc / "net" / "tcp", proc / "net" / "tcp6"):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[_STATE] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[_INODE])
    return inodes
