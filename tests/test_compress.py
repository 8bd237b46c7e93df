import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from skauto._compress import compress
from skauto.estimators._cnn import CNNClassifier


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:700].reshape(-1, 8, 8), y[:700]


@pytest.mark.slow
def test_the_best_within_the_bounds_is_returned_with_all_that_was_measured(digits):
    X, y = digits
    net = CNNClassifier(width=8, depth=1, max_epochs=6, random_state=0)
    small = compress(net, X, y, target={"bytes": 9_000, "max_loss": 0.5}, epochs=1, random_state=0)
    front = small.pareto_front_
    chosen = front[front["chosen"]].iloc[0]
    assert chosen["bytes"] == len(small.to_bytes()) <= 9_000
    assert chosen["score"] == front[front["meets_target"]]["score"].max()
    assert front["front"].any() and len(front) > 5
    # The best score is on the front; it need not be the largest file there, which may be the fastest.
    assert front.loc[front["front"], "score"].max() == front["score"].max()


def test_what_cannot_be_met_says_what_came_nearest(digits):
    X, y = digits
    net = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="no chain meets target.*the nearest"):
        compress(net, X, y, target={"bytes": 10}, epochs=1, time_limit=0.01, random_state=0)


@pytest.mark.parametrize(
    ("estimator", "target", "said"),
    [
        (CNNClassifier(), {"size": 3}, "unknown entry 'size'"),
        (CNNClassifier(), {"bytes": 0}, "must be a number above 0"),
        (CNNClassifier(), {}, "target is empty"),
        (LinearRegression(), None, "needs a classifier"),
    ],
)
def test_bad_requests_are_named(digits, estimator, target, said):
    with pytest.raises(ValueError, match=said):
        compress(estimator, *digits, target)
