import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier

from skauto._compress import compress, recipes
from skauto.estimators.images._cnn import CNNClassifier


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


@pytest.mark.filterwarnings("ignore:time_limit=0.01 was too short to train CNNClassifier")
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
        (CNNClassifier(), 100_000, "target=100000 must be a dict"),
        (LinearRegression(), None, "needs a classifier"),
        (FrozenEstimator(LinearRegression()), None, "needs a classifier"),
    ],
)
def test_bad_requests_are_named(digits, estimator, target, said):
    with pytest.raises(ValueError, match=said):
        compress(estimator, *digits, target)


def test_rows_that_no_network_takes_are_named(digits):
    X, y = digits[0].reshape(len(digits[0]), -1).copy(), digits[1]
    X[::7, 3] = np.nan
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    with pytest.raises(ValueError, match=r"no chain could be fitted: .*NaN.* impute and encode"):
        compress(tree, X, y, epochs=1, random_state=0)


@pytest.mark.filterwarnings("ignore:time_limit=0.01 was over before the first chain")
@pytest.mark.parametrize("shape", [(64,), (8, 8)])
def test_a_tree_teaches_a_network_for_tables_or_images(digits, shape):
    X, y = digits[0].reshape(-1, *shape), digits[1]
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    small = compress(tree, X, y, target={"max_loss": 0.9}, epochs=1, time_limit=0.01, random_state=0)
    assert len(small.pareto_front_) == 1 and small.predict(X).shape == y.shape


def test_a_frozen_network_is_compressed_itself(digits):
    X, y = digits
    net = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    small = compress(FrozenEstimator(net), X, y, target={"max_loss": 0.9}, time_limit=0.01, random_state=0)
    assert list(small.pareto_front_["chain"]) == list(recipes(net, X, 1))[:1] == ["int8"]


def test_a_chain_that_fails_is_left_out_with_a_warning(digits, monkeypatch):
    X, y = digits
    net = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X, y)
    chains = recipes(net, X, 1)
    broken = {"broken": [("step", "no step")], "int8": chains["int8"]}
    monkeypatch.setattr("skauto._compress.recipes", lambda *given: broken)
    with pytest.warns(UserWarning, match="left out the chain 'broken'"):
        small = compress(net, X, y, target={"max_loss": 0.9}, random_state=0)
    assert list(small.pareto_front_["chain"]) == ["int8"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "epochs must be an integer of at least 1, got 0"),
        ({"validation": 0}, "validation must be a fraction"),
        ({"time_limit": "5"}, "time_limit must be a number of seconds"),
        ({"scoring": f1_score}, "scoring value .* looks like it is a metric"),
    ],
)
def test_bad_settings_are_named(digits, changes, said):
    with pytest.raises(ValueError, match=said):
        compress(CNNClassifier(), *digits, **changes)


def test_rows_and_labels_must_agree(digits):
    X, y = digits
    with pytest.raises(ValueError, match="X has 700 rows but y has 680 labels"):
        compress(CNNClassifier(), X, y[20:])
    with pytest.raises(ValueError, match="X is sparse"):
        compress(DecisionTreeClassifier(), csr_array(X.reshape(len(X), -1)), y)


@pytest.mark.filterwarnings("ignore:time_limit=0.01 was over before the first chain")
def test_a_student_is_the_same_each_time(digits):
    X, y = digits
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    first, second = (
        compress(tree, X, y, target={"max_loss": 0.9}, epochs=1, time_limit=0.01, random_state=0) for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
