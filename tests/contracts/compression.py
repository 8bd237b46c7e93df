"""What every compression step must do; a step's test class inherits these and says how to make it."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.images._cnn import CNNClassifier


class CompressionContract:
    """Tests shared by all steps. `loss` is the largest fall of accuracy on the training rows."""

    loss = 0.1

    def make(self, **params):
        """The step, quick and mild."""
        raise NotImplementedError

    def compressed(self, base, X, y, **params):
        """The fitted base, compressed by the one step."""
        return CompressedClassifier(FrozenEstimator(base), [("step", self.make(**params))]).fit(X, y)

    @pytest.fixture(scope="class")
    @classmethod
    def small(cls, digits_net):
        """One compressed classifier for all tests that only look at it."""
        return cls().compressed(*digits_net)

    def test_keeps_most_of_the_accuracy(self, digits_net, small):
        base, X, y = digits_net
        assert small.score(X, y) > base.score(X, y) - self.loss

    def test_file_is_smaller_and_loads_to_the_same_answers(self, digits_net, small, tmp_path):
        base, X, y = digits_net
        whole = CompressedClassifier(FrozenEstimator(base)).fit(X, y)
        assert len(small.to_bytes()) < 0.75 * len(whole.to_bytes())
        loaded = CompressedClassifier.load(small.save(tmp_path / "model.skauto"))
        np.testing.assert_array_equal(loaded.predict_proba(X), small.predict_proba(X))
        assert list(loaded.classes_) == list(small.classes_)

    def test_pickle_is_packed_and_predicts_the_same(self, digits_net, small):
        packed = pickle.dumps(small)
        assert len(packed) < len(small.to_bytes()) + 6000
        np.testing.assert_array_equal(
            pickle.loads(packed).predict_proba(digits_net[1]), small.predict_proba(digits_net[1])
        )

    def test_same_seed_same_network_and_the_base_is_left_alone(self, digits_net):
        base, X, y = digits_net
        before = copy.deepcopy(base.module_.state_dict())
        first, second = (self.compressed(base, X[:300], y[:300], epochs=1).to_bytes() for _ in range(2))
        assert first == second
        assert all((value == before[key]).all() for key, value in base.module_.state_dict().items())

    def test_parameters_are_reached_through_the_classifier(self):
        step = self.make()
        clf = CompressedClassifier(CNNClassifier(), [("step", step)])
        for name, value in step.get_params(deep=False).items():
            assert clf.get_params()[f"step__{name}"] is value
        with pytest.raises(ValueError, match="Invalid parameter"):
            clf.set_params(step__no_such=1)
