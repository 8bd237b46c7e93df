"""The life line."""

import os
import subprocess
import sys
import time

from skauto.search._lifeline import LIFELINE, has_died

HOLDER = """
import os, sys, time
from skauto.search._lifeline import LIFELINE
os.set_inheritable(LIFELINE.reading_end(), True)
reader = "import sys; from skauto.search._lifeline import has_died; print('waiting', flush=True); "
reader += "print(has_died(int(sys.argv[1]), 30), flush=True)"
child = os.posix_spawn(sys.executable, [sys.executable, "-c", reader, str(LIFELINE.reading_end())], os.environ)
time.sleep(60)
"""


def test_the_living_are_not_dead():
    began = time.monotonic()
    assert not has_died(LIFELINE.reading_end())
    assert not has_died(LIFELINE.reading_end(), 0.05)
    assert 0.05 <= time.monotonic() - began < 10


def test_a_reader_knows_of_the_death():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env=environment)
    assert holder.stdout.readline().strip() == "waiting"
    holder.kill()
    assert holder.communicate(timeout=60)[0].strip() == "True"


def test_a_forked_child_does_not_keep_the_line_of_its_parent():
    before = LIFELINE.reading_end()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"%d" % (LIFELINE.reading_end() != before or not has_died(before)))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.close(writing)
    assert not has_died(before)
