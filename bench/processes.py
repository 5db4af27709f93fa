"""The processes of a server that is measured, as Linux tells of them."""

from __future__ import annotations

from pathlib import Path


def workers_of(server: int) -> list[int]:
    """Process ids of the workers that a server forked."""
    return [int(each) for each in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


def processor_seconds(process: int) -> float:
    """How long all threads of a process have run, in it and in the kernel."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e9
