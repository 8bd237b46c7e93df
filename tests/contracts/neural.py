"""What every neural classifier must do; a family's test class inherits these and says how to make one and its data."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skauto.estimators.neural._losses import LOSSES

# checks of scikit-learn that a net trained in batches of float32 cannot pass
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "repeating a row changes which rows share a batch",
    "check_sample_weight_equivalence_on_sparse_data": "repeating a row changes which rows share a batch",
    "check_methods_subset_invariance": "float32 products round differently by batch shape, at 1e-7",
}


class NeuralContract:
    """Tests shared by all families."""

    def make(self, **params):
        """A small, quick estimator."""
        raise NotImplementedError

    def data(self):
        """X and y of an easy task with three string labels, at least 90 rows."""
        raise NotImplementedError

    def test_learns_and_gives_probabilities(self):
        X, y = self.data()
        clf = self.make(random_state=0).fit(X, y)
        probabilities = clf.predict_proba(X)
        assert clf.score(X, y) > 0.9
        assert probabilities.shape == (len(y), 3)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
        assert list(clf.classes_) == sorted(set(y))

    def test_random_state_fixes_the_result_and_leaves_torch_alone(self):
        X, y = self.data()
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first = self.make(random_state=3).fit(X, y).predict_proba(X)
        assert torch.equal(before, torch.get_rng_state())
        torch.rand(7)
        np.testing.assert_array_equal(first, self.make(random_state=3).fit(X, y).predict_proba(X))
        assert not np.array_equal(first, self.make(random_state=4).fit(X, y).predict_proba(X))

    def test_survives_pickle_and_clone(self):
        X, y = self.data()
        clf = self.make(random_state=0).fit(X, y)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))
        assert not hasattr(clone(clf), "module_")

    def test_partial_fit_epoch_by_epoch_is_fit(self):
        X, y = self.data()
        whole = self.make(random_state=0, max_epochs=4).fit(X, y)
        steps = self.make(random_state=0, max_epochs=4)
        for epoch in range(4):
            steps.partial_fit(X, y)
            if epoch == 1:
                steps = pickle.loads(pickle.dumps(steps))
        np.testing.assert_allclose(steps.predict_proba(X), whole.predict_proba(X), rtol=1e-6)
        assert steps.n_iter_ == 4

    def test_rows_of_weight_zero_take_no_part(self):
        X, y = self.data()
        weights = np.random.default_rng(0).integers(0, 2, len(y)).astype(float)
        weighted = self.make(random_state=0).fit(X, y, sample_weight=3 * weights)
        without = self.make(random_state=0).fit(*self.take(X, y, weights > 0))
        np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), rtol=1e-5)

    def test_class_weight_moves_predictions_towards_a_class(self):
        X, y = self.data()
        label = sorted(set(y))[0]
        plain = self.make(random_state=0, max_epochs=2).fit(X, y).predict_proba(X)[:, 0].mean()
        heavy = self.make(random_state=0, max_epochs=2, class_weight={label: 50.0}).fit(X, y)
        assert heavy.predict_proba(X)[:, 0].mean() > plain

    def test_focal_loss_is_timid_and_effective_numbers_lie_between_none_and_balanced(self):
        X, y = self.data()
        X, y = self.take(X, y, (y != y[0]) | (np.cumsum(y == y[0]) < 9))
        plain, focal = (self.make(random_state=1, loss=loss).fit(X, y).predict_proba(X) for loss in sorted(LOSSES))
        assert focal.max(axis=1).mean() < plain.max(axis=1).mean()
        rare = sorted(set(y)).index(y[0])
        fractions = [
            self.make(random_state=1, max_epochs=2, class_weight=weight).fit(X, y).predict_proba(X)[:, rare].mean()
            for weight in (None, "effective", "balanced")
        ]
        assert fractions[0] < fractions[1] < fractions[2] * 1.05

    def test_early_stopping_keeps_the_best_epoch(self):
        X, y = self.data()
        clf = self.make(random_state=0, max_epochs=60, lr=0.05, lr_schedule="constant", early_stopping=2).fit(X, y)
        losses = [epoch["valid_loss"] for epoch in clf.history_]
        assert clf.n_iter_ == len(losses) < 60
        assert clf.n_iter_ - 1 - int(np.argmin(losses)) == 2

    def test_predict_changes_nothing(self):
        X, y = self.data()
        clf = self.make(random_state=0, max_epochs=2).fit(X, y)
        before = pickle.dumps(clf)
        clf.predict(X)
        assert pickle.dumps(clf) == before

    def test_divergence_is_an_error_that_names_the_learning_rate(self):
        X, y = self.data()
        clf = self.make(random_state=0, optimizer="sgd", lr=1e30, lr_schedule="constant", max_epochs=20)
        with pytest.raises(ValueError, match=r"diverged.*lr=1e\+30"):
            clf.fit(X, y)

    @pytest.mark.parametrize(
        ("params", "said"),
        [
            ({"lr": -1.0}, "'lr' parameter"),
            ({"optimizer": "adm"}, "'optimizer' parameter"),
            ({"max_epochs": 0}, "'max_epochs' parameter"),
            ({"label_smoothing": 1.0}, "'label_smoothing' parameter"),
            ({"loss": "hinge"}, "'loss' parameter"),
            ({"class_weight": {"none such": 2.0}}, "none such"),
        ],
    )
    def test_bad_parameters_are_named(self, params, said):
        X, y = self.data()
        with pytest.raises(ValueError, match=said):
            self.make(**params).fit(X, y)

    def test_one_class_is_an_error(self):
        X, y = self.data()
        with pytest.raises(ValueError, match="one class"):
            self.make().fit(X, np.full(len(y), "a"))

    def take(self, X, y, mask):
        """Rows of a mask."""
        return X[mask], y[mask]
