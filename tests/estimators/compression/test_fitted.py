import numpy as np

from skauto.estimators._cnn import CNNClassifier
from skauto.estimators.compression._classifier import CompressedClassifier


def test_labels_and_names_survive_a_file(digits_net, tmp_path):
    _, X, y = digits_net
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[y]
    for labels in (words, words.astype(object), y.astype(np.uint8), y > 4):
        clf = CompressedClassifier(CNNClassifier(width=4, depth=1, max_epochs=1)).fit(X, labels)
        loaded = CompressedClassifier.load(clf.save(tmp_path / "m"))
        assert loaded.classes_.dtype == clf.classes_.dtype
        np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))
