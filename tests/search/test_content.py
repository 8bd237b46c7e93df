"""The content of objects: the same wherever data, settings and code are, another one where they are not."""

import enum
import functools
import re
import threading
import types

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy import stats
from sklearn.metrics import f1_score, make_scorer

from skauto.search._content import Content


def of(value):
    return Content().of(value)


def written(source, **around):
    """What a source text defines as `made`, in a module of its own that no package holds."""
    module = types.ModuleType("of_a_user")
    vars(module).update(around)
    exec(source, vars(module))
    return module.made


def frame():
    return pd.DataFrame(
        {
            "number": [1.0, np.nan],
            "text": ["x", None],
            "kind": pd.Categorical(["u", "v"]),
            "day": pd.date_range("2024", periods=2, tz="UTC"),
            "whole": pd.array([1, None], dtype="Int64"),
            "string": pd.array(["a", None], dtype="string"),
        }
    )


def test_tables_by_their_cells():
    table = frame()
    assert of(table) == of(frame()) == of(pd.DataFrame({name: table[name].copy() for name in table}))
    for name, value in {"number": 2.0, "text": "y", "kind": "v", "day": pd.Timestamp("2025", tz="UTC"), "whole": 2,
                        "string": "b"}.items():  # fmt: skip
        other = frame()
        other.loc[0, name] = value
        assert of(other) != of(table), name
    assert of(table.rename(columns={"kind": "sort"})) != of(table)
    assert of(table["text"]) == of(frame()["text"]) != of(table["string"])


def test_arrays_and_sparse_matrices():
    values = np.arange(6.0).reshape(2, 3)
    assert of(values) == of(np.asfortranarray(values)) != of(values.reshape(3, 2)) != of(values.astype(np.float32))
    assert of(np.array(["a", None], object)) != of(np.array(["a", "None"], object))
    assert of(np.zeros((0, 3))) != of(np.zeros((3, 0)))
    sparse = scipy.sparse.random(9, 5, 0.4, "csr", random_state=0)
    loose = sparse.copy()
    loose.has_sorted_indices = False
    assert of(sparse) == of(sparse.tocoo().tocsr()) == of(loose) != of(2 * sparse)


def test_what_lies_between_fields_means_nothing():
    dtype = np.dtype([("a", "u1"), ("b", "f8")], align=True)
    one, other = np.frombuffer(bytes(32), dtype).copy(), np.frombuffer(b"\0" + b"x" * 7 + bytes(24), dtype).copy()
    assert one.tobytes() != other.tobytes()
    assert of(one) == of(other) != of(np.ones(2, dtype))


def test_types_of_numbers_count():
    assert len({of(value) for value in (1, 1.0, True, "1", b"1", np.int64(1), np.float32(1), [1], (1,), {1})}) == 10


def test_order_counts_in_dicts_and_not_in_sets():
    assert of({"a": 1, "b": [2]}) != of({"b": [2], "a": 1})
    assert of({"x", "y", (1, 2)}) == of({(1, 2), "y", "x"})


SAME = [
    "made = lambda x: x + 1",
    "def made(x): return x + 1",
    "# a comment\n\n\ndef made(x):\n    '''A docstring.'''\n    return x + 1",
    "def made(value): return value + 1".replace("value", "x"),
]


def test_the_name_the_place_and_the_docstring_of_a_function_do_not_count():
    assert len({of(written(source)) for source in SAME}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def made(x): return x + 1", "def made(x): return x + 2"),
        ("def made(x, by=1): return x + by", "def made(x, by=2): return x + by"),
        ("def made(x, *, by=1): return x + by", "def made(x, *, by=2): return x + by"),
        ("BY = 1\ndef made(x): return x + BY", "BY = 2\ndef made(x): return x + BY"),
        ("def more(x): return x\ndef made(x): return more(x)", "def more(x): return -x\ndef made(x): return more(x)"),
        ("made = (lambda by: lambda x: x + by)(1)", "made = (lambda by: lambda x: x + by)(2)"),
        ("class made:\n def a(self): return 1", "class made:\n def a(self): return 2"),
        ("class made:\n a = 1", "class made:\n a = 2"),
        ("class Base:\n a = 1\nclass made(Base): pass", "class Base:\n a = 2\nclass made(Base): pass"),
        ("class made:\n @property\n def a(self): return 1", "class made:\n @property\n def a(self): return 2"),
        ("class made:\n @staticmethod\n def a(): return 1", "class made:\n @staticmethod\n def a(): return 2"),
        ("class made:\n @classmethod\n def a(cls): return 1", "class made:\n @classmethod\n def a(cls): return 2"),
        ("class A:\n def __init__(self): self.a = 1\nmade = A()",
         "class A:\n def __init__(self): self.a = 2\nmade = A()"),
        ("made = {'f': [lambda x: 1]}", "made = {'f': [lambda x: 2]}"),
        ("def f(x): return 1\nclass made:\n def a(self): return f(1)",
         "def f(x): return 2\nclass made:\n def a(self): return f(1)"),
        ("def made(x):\n def inner(): return 1\n return inner()",
         "def made(x):\n def inner(): return 2\n return inner()"),
        ("made = lambda x: [v for v in x if v in {1, 'a'}]", "made = lambda x: [v for v in x if v in {1, 'b'}]"),
    ],
)  # fmt: skip
def test_code_and_what_it_calls_counts(one, other):
    assert of(written(one)) == of(written(one)) != of(written(other))


WRAPPERS = {
    "partial": "functools.partial(inner, 1)",
    "cached": "functools.lru_cache(inner)",
    "wraps": "functools.wraps(f1_score)(inner)",
    "scorer": "make_scorer(inner)",
    "method": "type('T', (), {'go': inner})().go",
    "cached_property": "type('T', (), {'go': functools.cached_property(inner)})",
    "vectorized": "np.vectorize(inner)",
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_functions_inside_of_what_packages_make_of_them(name):
    tools = {"functools": functools, "f1_score": f1_score, "make_scorer": make_scorer, "np": np}
    made = [written(f"def inner(x, y=0): return {k}\nmade = {WRAPPERS[name]}", **tools) for k in (1, 1, 2)]
    assert of(made[0]) == of(made[1]) != of(made[2])


def test_what_is_installed_goes_by_its_name():
    assert len({of(value) for value in (np.sum, np.add, len, f1_score, make_scorer, "".join, re.compile("a"))}) == 7
    content = Content()
    content.of([f1_score, stats.norm, pd.DataFrame])
    assert content.code == {}


def test_helpers_in_other_modules_by_what_is_called_of_them():
    def helper(used, unused):
        module = types.ModuleType("helper_of_a_user")
        exec(f"def used(x): return {used}\ndef unused(x): return {unused}", vars(module))
        return module

    first, second, third = (written("def made(x): return helper.used(x)", helper=helper(*h)) for h in
                            ((1, 1), (1, 2), (2, 1)))  # fmt: skip
    assert of(first) == of(second) != of(third)


def test_modules_imported_when_a_function_runs(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    made = []
    for name, value in (("mine_a", 1), ("mine_b", 1), ("mine_c", 2)):
        (tmp_path / f"{name}.py").write_text(f"def used(x): return {value}")
        made.append(of(written(f"def made(x):\n import {name} as m\n return m.used(x)")))
    assert len(set(made)) == 3  # the name is in the code
    (tmp_path / "mine_d.py").write_text("def used(x): return 1")
    later = written("def made(x):\n import mine_d\n return mine_d.used(x)")
    assert of(later) == of(later)


def test_cycles_end():
    loop = [1]
    loop.append(loop)
    assert of(loop) == of(loop)
    assert of(written("def made(n): return made(n - 1) if n else 0")) == of(
        written("def made(n): return made(n - 1) if n else 0")
    )
    assert of(written("class made:\n def a(self): return made()")) != of(
        written("class made:\n def a(self): return made")
    )


def test_what_a_function_writes_to_is_no_part_of_it():
    made = written(
        "calls, counts = [], {}\ndef made(x):\n calls.append(x)\n counts[x] = counts.get(x, 0) + 1\n made.n = 1"
    )
    before = of(made)
    made(3)
    assert of(made) == before
    counter = written("class C:\n def __init__(self): self.n = 0\n def __call__(self, x): self.n += 1\nmade = C()")
    before = of(counter)
    counter(3)
    assert of(counter) == before


def test_what_an_object_works_out_when_it_is_used_is_no_part_of_it():
    class Lazy:
        def __init__(self, by):
            self.by = by
            self.last = None

        @functools.cached_property
        def half(self):
            return self.by / 2

        def __call__(self, x):
            self.last = self.half * x

    lazy = Lazy(3)
    before = of(lazy)
    lazy(2)
    assert vars(lazy) == {"by": 3, "last": 3.0, "half": 1.5}
    assert of(lazy) == before != of(Lazy(4))


def test_distributions_after_they_were_used():
    for make in (lambda: stats.loguniform(1, 10), lambda: stats.randint(1, 9), lambda: stats.norm(2, 3)):
        frozen = make()
        before = of(frozen)
        frozen.rvs(random_state=0)
        frozen.rvs()
        frozen.ppf(0.3)
        frozen.cdf(2)
        assert of(frozen) == before == of(make())
    assert of(stats.norm(2, 3)) != of(stats.norm(2, 4))


def test_what_cannot_be_pickled_goes_by_its_class_and_attributes():
    class Held:
        def __init__(self, a):
            self.a, self.lock = a, threading.Lock()

    assert of(Held(1)) == of(Held(1)) != of(Held(2))


def test_random_states_by_their_state():
    assert of(np.random.RandomState(0)) == of(np.random.RandomState(0)) != of(np.random.RandomState(1))
    assert of(np.random.default_rng(0)) == of(np.random.default_rng(0)) != of(np.random.default_rng(1))


def test_enumerations_and_named_tuples():
    class Colour(enum.Enum):
        RED, BLUE = 1, 2

    assert of(Colour.RED) != of(Colour.BLUE)


def test_nets_by_their_weights():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 2)
    before = of(net)
    assert of(net) == before
    with torch.no_grad():
        net.weight += 1
    assert of(net) != before


def test_code_is_noted_by_name():
    content = Content()
    content.of(written("BY = 1\ndef helper(x): return x + BY\ndef made(x): return helper(x)"))
    assert set(content.code) == {"made", "helper", "BY in helper"}
