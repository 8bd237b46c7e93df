"""scikit-learn's own checks of estimators, on SearchCV."""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.search import SearchCV

SEARCHES = [
    SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, strategy="grid", cv=2),
    SearchCV(Ridge(), {"alpha": [0.1, 1.0]}, strategy="random", cv=2, random_state=0),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the checks fit on what is barely data; what they warn of is theirs
@parametrize_with_checks(SEARCHES)
def test_checks(estimator, check):
    check(estimator)
