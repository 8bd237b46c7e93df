"""What functions read and write outside themselves."""

from skauto.search._code import imports, kept_attributes, loaded_names, moving_names

calls, counts, SCALE = [], {}, 2


class Seen:
    last = None


def busy(params):
    global SCALE  # noqa: PLW0603 - what it is for
    calls.append(params["x"])
    counts[params["x"]] += 1
    counts["all"] = len(calls)
    Seen.last = params
    SCALE = 3
    return [abs(value) * SCALE for value in params]


def test_names_that_are_read():
    assert loaded_names(busy.__code__) >= {"calls", "counts", "Seen", "SCALE", "abs", "len"}
    assert "params" not in loaded_names(busy.__code__)


def test_names_that_are_written():
    assert moving_names(busy.__code__) == {"calls": set(), "counts": set(), "Seen": {"last"}, "SCALE": set()}


def test_outer_variables_and_inner_functions():
    n, seen, weights = 0, [], [1, 2]

    def outer(x):
        nonlocal n
        n += 1

        def inner():
            seen.append(x)
            own = [weights[0]]
            own.append(3)
            return own

        return inner()

    assert outer.__code__.co_freevars == ("n", "seen", "weights")
    assert set(moving_names(outer.__code__)) == {"n", "seen"}


def test_imports_inside():
    def lazy():
        import os.path
        from json import dumps

        return os.path, dumps

    assert imports(lazy.__code__) == [(0, "json"), (0, "os.path")]


def test_attributes_that_a_method_keeps():
    def method(self, x):
        self.n += 1
        self.log.append(x)
        self.table[x] = 1
        self.fitted_ = x
        x.other = 2
        return self.read

    assert kept_attributes(method.__code__) == ({"fitted_"}, {"n", "log", "table"})
