"""First steps fitted once."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skauto.search._prefix_cache import PrefixCache

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.arange(30) % 2


def fit(cache, *steps, where=(0,)):
    cache.begin(*where)
    named = [(str(place), step) for place, step in enumerate(steps)]
    return Pipeline([*named, ("last", LogisticRegression())], memory=cache).fit(X, Y)


def test_equal_beginnings_are_found():
    cache = PrefixCache()
    fit(cache, StandardScaler(), MinMaxScaler())
    fit(cache, StandardScaler(), MinMaxScaler())
    assert (cache.hits, cache.misses) == (2, 2)
    fit(cache, StandardScaler(with_mean=False), MinMaxScaler())  # the second step begins elsewhere now
    assert (cache.hits, cache.misses) == (2, 4)


def test_folds_are_apart():
    cache = PrefixCache()
    fit(cache, StandardScaler(), where=(0, 1.0))
    fit(cache, StandardScaler(), where=(1, 1.0))
    fit(cache, StandardScaler(), where=(0, 0.5))
    assert cache.hits == 0


def test_a_step_that_works_in_place_spoils_nothing():
    def spoil(values):
        values[:] = 0
        return values

    cache = PrefixCache()
    plain = fit(cache, StandardScaler())
    for _ in range(2):
        fit(cache, StandardScaler(), FunctionTransformer(spoil))
    again = fit(cache, StandardScaler())
    np.testing.assert_array_equal(plain[-1].coef_, again[-1].coef_)


def test_a_copy_has_the_order_in_memory_of_what_was_kept():
    """Sums go along memory: in another order the last digits of a fit would tell which process had kept its rows."""
    seen, cache = [], PrefixCache()

    def see(values):
        seen.append(values.flags.f_contiguous)
        return values

    for _ in range(2):
        fit(cache, FunctionTransformer(np.asfortranarray), FunctionTransformer(see))
    assert cache.hits == 1
    assert seen == [True, True]


def test_what_has_no_name_is_fitted_every_time():
    cache = PrefixCache()
    for _ in range(2):
        fit(cache, FunctionTransformer(lambda values: values + 1))
    assert cache.hits == 0


def test_the_bound_is_kept():
    cache = PrefixCache(max_bytes=3 * X.nbytes)
    for place in range(9):
        fit(cache, StandardScaler(), where=(place,))
    fit(cache, StandardScaler(), where=(8,))
    assert cache.hits == 1
    fit(cache, StandardScaler(), where=(0,))
    assert cache.hits == 1
