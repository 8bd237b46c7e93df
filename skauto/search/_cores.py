"""How many cores there are, and what n_jobs means."""

import math
import os
from pathlib import Path

# Where Linux tells of the groups that a process is in, and of what they may use.
PROC, CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def count_workers(n_jobs: int | None) -> int:
    """Worker processes that n_jobs means: None is one, negative numbers count back from the cores.

    Raises
    ------
    ValueError
        If it is 0.
    """
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs=0 has no meaning; it must be None, a positive number, or negative to count back")
    return n_jobs if n_jobs > 0 else max(cores() + 1 + n_jobs, 1)


def cores() -> int:
    """Cores that this process may use: those of its affinity, and no more than the quota of its container allows."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(free, quota())))


def quota(proc: Path = PROC, root: Path = CGROUPS) -> float:
    """Cores worth of time that the control groups of this process allow, infinity without a bound.

    Parameters
    ----------
    proc : Path
        The file that names the groups: a line ``0::/a/b`` in version 2, ``4:cpu,cpuacct:/a/b`` in version 1.
    root : Path
        Where the groups are mounted. Inside a container the path of a group may be missing there: its own is the root.

    Returns
    -------
    quota : float
        The least of those of the group and of all groups around it.
    """
    quotas = [math.inf]
    for line in _text(proc).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            quotas += [_version_2(folder) for folder in _upwards(root, path)]
        elif "cpu" in controllers.split(","):
            for mount in (root / controllers, root / "cpu"):
                quotas += [_version_1(folder) for folder in _upwards(mount, path)]
    return min(quotas)


def _upwards(mount: Path, path: str) -> list[Path]:
    """The folder of a group and those of all groups around it, the root last."""
    folder = mount / path.strip("/")
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(mount))]


def _version_2(folder: Path) -> float:
    """`cpu.max` holds the quota and the period in microseconds; "max" for no quota."""
    words = _text(folder / "cpu.max").split()
    return _cores_of(words[0], words[1]) if len(words) == 2 else math.inf


def _version_1(folder: Path) -> float:
    """One file each; a quota of -1 is none."""
    return _cores_of(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _cores_of(quota: str, period: str) -> float:
    quota, period = quota.strip(), period.strip()
    if not (quota.isdecimal() and period.isdecimal()) or int(quota) == 0 or int(period) == 0:
        return math.inf
    return int(quota) / int(period)


def _text(path: Path) -> str:
    """What a file holds, nothing where it cannot be read."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
