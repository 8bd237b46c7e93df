"""Compiled kernels: never a crash, never foreign code, never a hang; whatever is wrong costs speed alone.

A damaged library killed every process that loaded it, one of another user was loaded, a missing home was an error.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="tells by /proc what is loaded"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]

# Features of series, in whose work a kernel helps; tells the features and which libraries are loaded.
SCRIPT = """
import hashlib, os, pwd, sys
import numpy as np
{before}
from skauto.estimators import MiniRocketTransformer
X = np.random.default_rng(0).normal(size=(6, 40, 1))
features = MiniRocketTransformer(random_state=0).fit(X).transform(X)
maps = {{line.split()[-1] for line in open("/proc/self/maps") if "minirocket" in line}}
print(hashlib.sha256(np.round(features, 4).tobytes()).hexdigest(), *maps)
"""
PLANTED = """
#include <fcntl.h>
__attribute__((constructor)) static void run(void) {{ creat("{mark}", 0600); }}
int self_test(void) {{ return 0; }}
"""


def run(cache, before="", cwd=None, **variables):
    """The features' digest and the libraries of a process with this cache."""
    environment = {**os.environ, "SKAUTO_CACHE": str(cache), **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-c", SCRIPT.format(before=before)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False, timeout=300)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    digest, *libraries = done.stdout.split()
    return digest, libraries


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A cache with the kernel, the features with it, and those without any."""
    cache = tmp_path_factory.mktemp("kernels") / "cache"
    plain, libraries = run(cache, SKAUTO_NATIVE="0")
    assert libraries == []
    with_kernel, libraries = run(cache)
    (library,) = libraries
    assert Path(library).parent == cache
    assert with_kernel == plain
    return cache, plain


@pytest.fixture
def cache(built, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(built[0], copy)
    copy.chmod(0o700)
    return copy


def test_a_new_cache_is_for_its_user_alone(tmp_path):
    cache = tmp_path / "made" / "cache"
    _, libraries = run(cache, before="os.umask(0)")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cache, cache.parent)] == [0o700, 0o700]
    assert len(libraries) == 1


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_library_cut_short_is_built_again(built, cache, share):
    (path,) = cache.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert run(cache) == (built[1], [str(path)])
    assert path.read_bytes() == content


def test_a_library_with_other_bytes_is_built_again(built, cache):
    (path,) = cache.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:2000] + bytes(40) + content[2040:])
    assert run(cache) == (built[1], [str(path)])


def plant(cache, mark):
    """A library of somebody else's under the name that skauto looks for."""
    (path,) = cache.iterdir()
    source = mark.with_suffix(".c")
    source.write_text(PLANTED.format(mark=mark))
    planted = mark.with_suffix(".so")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", planted], check=True)
    path.unlink()
    digest = hashlib.sha256(planted.read_bytes()).hexdigest()[:32]
    path = path.with_name(f"{path.stem.rsplit('-', 1)[0]}-{digest}.so")
    shutil.move(planted, path)
    path.chmod(0o755)
    return path


def test_that_the_planted_library_would_run(cache, tmp_path):
    """What the tests below rely on: in a folder of one's own it is loaded."""
    plant(cache, tmp_path / "mark")
    command = SCRIPT.format(before="")
    subprocess.run([sys.executable, "-c", command], env={**os.environ, "SKAUTO_CACHE": str(cache)}, check=False,
                   capture_output=True, timeout=300)  # fmt: skip
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o770])
def test_a_folder_that_others_may_write_to_is_not_used(built, cache, tmp_path, mode):
    plant(cache, tmp_path / "mark")
    cache.chmod(mode)
    digest, libraries = run(cache)
    assert digest == built[1]
    assert [Path(library).parent for library in libraries] != [cache]
    assert not (tmp_path / "mark").exists()


def test_a_file_that_others_may_write_to_is_not_used(built, cache, tmp_path):
    plant(cache, tmp_path / "mark").chmod(0o777)
    assert run(cache)[0] == built[1]
    assert not (tmp_path / "mark").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("what", ["file", "folder", "link", "above"])
def test_what_belongs_to_another_user_is_not_used(built, cache, tmp_path, what):
    path, given = plant(cache, tmp_path / "mark"), cache
    os.chown(path, 65534, 65534)
    if what == "folder":
        os.chown(cache, 65534, 65534)
    if what == "link":
        os.chown(cache, 65534, 65534)
        given = tmp_path / "link"
        given.symlink_to(cache)
    if what == "above":
        theirs = tmp_path / "theirs"
        theirs.mkdir()
        given = Path(shutil.move(cache, theirs / "skauto"))
        os.chown(path := next(given.iterdir()), 0, 0)
        os.chown(theirs, 65534, 65534)
    assert run(given)[0] == built[1]
    assert not (tmp_path / "mark").exists()


def test_without_a_home(built, tmp_path):
    before = "def nobody(uid): raise KeyError(uid)\npwd.getpwuid = nobody"
    digest, libraries = run(None, before, SKAUTO_CACHE=None, HOME=None, XDG_CACHE_HOME=None, TMPDIR=str(tmp_path))
    assert digest == built[1]
    assert len(libraries) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_relative_cache(built, tmp_path):
    digest, libraries = run(".", cwd=tmp_path, PYTHONPATH=os.pathsep.join([os.getcwd(), *sys.path[1:]]))
    assert digest == built[1]
    assert [Path(library).parent for library in libraries] == [tmp_path]


def test_a_compiler_that_hangs(built, tmp_path):
    """Its child holds the output open: to wait for that would be to hang with it."""
    compiler = tmp_path / "slow"
    compiler.write_text("#!/bin/sh\nsleep 600\nexit 0\n")
    compiler.chmod(0o755)
    assert run(tmp_path / "cache", CC=str(compiler)) == (built[1], [])


def test_without_an_interpreter_to_try_it_in(built, tmp_path):
    assert run(tmp_path / "cache", before="sys.executable = None") == (built[1], [])


WORKERS = """
import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from skauto.estimators import MiniRocketTransformer
from skauto.search import SearchCV
X, y = np.random.default_rng(0).normal(size=(40, 40, 1)), np.arange(40) % 2
pipeline = make_pipeline(MiniRocketTransformer(random_state=0), RidgeClassifier())
SearchCV(pipeline, {"ridgeclassifier__alpha": [1, 2, 3, 4]}, strategy="grid", cv=2, n_jobs=2).fit(X, y)
"""


def test_workers_share_one_folder_where_the_cache_cannot_be_written_to(tmp_path):
    """Each of them compiled for itself, and left a folder behind."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "tmp").mkdir()
    compiler = tmp_path / "counting"
    compiler.write_text(f'#!/bin/sh\necho $PPID $@ >> {tmp_path}/calls\nexec cc "$@"\n')
    compiler.chmod(0o755)
    variables = {"SKAUTO_CACHE": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "tmp"), "CC": str(compiler)}
    subprocess.run([sys.executable, "-c", WORKERS], env={**os.environ, **variables}, check=True, timeout=300)
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if "minirocket" in line]
    assert 1 <= len(calls) <= 3  # the driver and two workers at most, if all begin at once
    assert {Path(line.split(" -o ")[1].split()[0]).parent for line in calls} == {
        Path(calls[0].split(" -o ")[1].split()[0]).parent
    }
    assert list((tmp_path / "tmp").iterdir()) == []
