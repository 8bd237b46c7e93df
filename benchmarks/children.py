"""Runs in processes of their own: how they ended, and the peak memory of the process and its descendants."""

import contextlib
import subprocess
import tempfile
import time

import psutil

TICK = 0.25


def tree(process):
    """A process and its descendants, those that are still there."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_of(process):
    """Proportional bytes of one process; none where it has ended."""
    try:
        return process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def watch(command, patience, is_measured=lambda: True, **popen):
    """Run a command to its end, or kill it and what it started after `patience` seconds.

    Parameters
    ----------
    command : list
        The program and its arguments.
    patience : float
        Seconds after which it is killed.
    is_measured : callable
        Whether memory still counts; asked before each look.
    **popen
        Further arguments of ``subprocess.Popen``, such as ``cwd`` and ``env``.

    Returns
    -------
    code : int or None
        Its exit code, or None where it was killed.
    text : str
        What it printed, on either stream.
    peak : int
        Most bytes of the process and its descendants, looked at four times a second.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        child = psutil.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, **popen)
        seen = {}
        try:
            peak, in_time = follow(child, patience, is_measured, seen)
        finally:
            end(child, seen)
        code = child.wait()
        log.seek(0)
        return code if in_time else None, log.read(), peak


def follow(child, patience, is_measured, seen):
    """Look at a process until it ends or patience does: most bytes, whether it ended; `seen` takes who was there."""
    peak, deadline = 0, time.monotonic() + patience
    while child.poll() is None:
        members = tree(child)
        seen.update((member, None) for member in members)
        if is_measured():
            peak = max(peak, sum(map(memory_of, members)))
        if time.monotonic() > deadline:
            return peak, False
        time.sleep(TICK)
    return peak, True


def end(child, seen):
    """Kill a process, its descendants, and those that it left behind, and wait until they are gone."""
    members = {**dict.fromkeys(tree(child)), **seen}
    for process in members:
        # A number that was taken anew is another process, which `is_running` tells.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.is_running():
                process.kill()
    psutil.wait_procs([process for process in members if process != child], timeout=10)
