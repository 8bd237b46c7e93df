"""What n_jobs means."""

import math

import pytest

from skauto.search._cores import cores, count_workers, quota


def test_n_jobs():
    assert count_workers(None) == 1
    assert count_workers(3) == 3
    assert count_workers(-1) == cores()
    assert count_workers(-1000) == 1
    with pytest.raises(ValueError, match="n_jobs=0"):
        count_workers(0)


def group(root, path, **files):
    """A control group's folder with what the kernel would say in it."""
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [("150000 100000", "max 100000", 1.5), ("max 100000", "50000 100000", 0.5), ("max 100000", "max 100000", math.inf)],
)
def test_a_quota_of_version_2_is_the_least_on_the_way_up(tmp_path, inner, outer, expected):
    (tmp_path / "proc").write_text("0::/kubepods/pod7\n")
    group(tmp_path / "fs", "kubepods/pod7", cpu__max=inner)
    group(tmp_path / "fs", "kubepods", cpu__max=outer)
    assert quota(tmp_path / "proc", tmp_path / "fs") == expected


def test_inside_a_container_the_group_is_the_root(tmp_path):
    (tmp_path / "proc").write_text("0::/\n")
    group(tmp_path / "fs", ".", cpu__max="400000 100000")
    assert quota(tmp_path / "proc", tmp_path / "fs") == 4
    (tmp_path / "proc").write_text("0::/../../docker/abc\n")  # as a process of another namespace sees itself
    assert quota(tmp_path / "proc", tmp_path / "fs") == 4


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_a_quota_of_version_1(tmp_path, mount):
    (tmp_path / "proc").write_text("12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n")
    group(tmp_path / "fs", mount, cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    assert quota(tmp_path / "proc", tmp_path / "fs") == 2.5
    group(tmp_path / "fs", f"{mount}/docker/abc", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert quota(tmp_path / "proc", tmp_path / "fs") == 2.5
    group(tmp_path / "fs", f"{mount}/docker/abc", cpu__cfs_quota_us="100000", cpu__cfs_period_us="100000")
    assert quota(tmp_path / "proc", tmp_path / "fs") == 1


def test_what_cannot_be_read_bounds_nothing(tmp_path):
    assert quota(tmp_path / "none", tmp_path) == math.inf
    (tmp_path / "proc").write_text("nonsense\n0::/a\n3:cpu:/\n")
    group(tmp_path / "fs", "a", cpu__max="what is this?")
    group(tmp_path / "fs", "cpu", cpu__cfs_quota_us="", cpu__cfs_period_us="0")
    assert quota(tmp_path / "proc", tmp_path / "fs") == math.inf


def test_a_part_of_a_core_is_one(monkeypatch):
    monkeypatch.setattr("skauto.search._cores.quota", lambda: 0.5)
    assert cores() == 1
