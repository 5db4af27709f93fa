"""Counts where the main thread of each worker spends its processor time.

The interpreter of a server loads it where ``python -m bench --profile`` set PYTHONPATH and the variable below; nothing of the
server knows of it. A timer on the thread's own processor clock signals, so that neither waiting nor other programs count.
Python runs the handler after the call during which the signal came: what a C function takes counts for the line that calls it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

WHERE = "BENCH_SAMPLES"
"""The variable with the path that samples are written to, followed by a dot and the process id."""
_EVERY_NS = 1_000_000  # Linux counts no finer than its ticks
_CLOCK_THREAD_CPUTIME_ID, _SIGEV_THREAD_ID = 3, 4
_COUNT, WRITE = signal.SIGRTMIN + 3, signal.SIGRTMIN + 4

_stacks: Counter[tuple[str, ...]] = Counter()


class _Event(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 44),
    )


class _Times(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_long) for name in ("again_s", "again_ns", "first_s", "first_ns"))


def _count(_signal: int, frame: FrameType | None) -> None:
    stack = []
    while frame is not None:
        stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    _stacks[tuple(stack)] += 1


def _write(_signal: int, _frame: FrameType | None) -> None:
    """Write what was counted since the last time, and count anew."""
    path = Path(f"{os.environ[WHERE]}.{os.getpid()}")
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([[count, *stack] for stack, count in _stacks.items()]))
    _stacks.clear()
    fresh.rename(path)


def _start() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(_COUNT, _count)
    signal.signal(WRITE, _write)
    timer = ctypes.c_void_p()
    event = _Event(None, _COUNT, _SIGEV_THREAD_ID, threading.get_native_id())
    if libc.timer_create(_CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    if libc.timer_settime(timer, 0, ctypes.byref(_Times(0, _EVERY_NS, 0, _EVERY_NS)), None):
        raise OSError(ctypes.get_errno(), "timer_settime")


if WHERE in os.environ:
    os.register_at_fork(after_in_child=_start)
