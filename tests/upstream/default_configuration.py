"""scikit-learn's own checks of AutoClassifier as it comes: minutes of search, so by `make upstream` only."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto import AutoClassifier
from tests.test_auto_sklearn import EXPECTED_FAILURES


@pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")
@parametrize_with_checks([AutoClassifier()], expected_failed_checks=lambda auto: EXPECTED_FAILURES, xfail_strict=False)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
