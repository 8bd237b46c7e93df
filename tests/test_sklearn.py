"""The door to scikit-learn's private names: they are there and do what the rest relies on."""

from numbers import Integral

import pytest
from sklearn.base import BaseEstimator

from skauto._sklearn import Interval, InvalidParameterError, check_parameters


class Estimator(BaseEstimator):
    def __init__(self, size=1):
        self.size = size


def test_parameters_are_checked_against_a_table():
    table = {"size": [Interval(Integral, 1, None, closed="left")]}
    check_parameters(Estimator(size=3), table)
    with pytest.raises(InvalidParameterError, match="'size' parameter of Estimator must be .* Got 0 instead"):
        check_parameters(Estimator(size=0), table)
