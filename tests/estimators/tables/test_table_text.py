"""Numbers from texts: counts that mean what they say, n-gram directions that tell families of texts apart."""

import numpy as np
import pytest

from skauto.estimators.tables._table_text import TextNumbers

TEXTS = np.array([f"{kind} {i % 7}{i}" for i in range(60) for kind in ("ticket", "Cabin no")], dtype=object)


def test_counts():
    numbers = TextNumbers(0, 0).fit(TEXTS)
    assert numbers.suffixes == ["length", "words", "digits"]
    np.testing.assert_allclose(numbers.transform(np.array(["ab 12", "x"], dtype=object)), [[5, 2, 0.4], [1, 1, 0]])


def test_counts_that_do_not_vary_are_left_out():
    assert TextNumbers(0, 0).fit(np.array(["ab1", "cd2", "ef3"], dtype=object)).suffixes == []


def test_directions_separate_families_of_texts():
    numbers = TextNumbers(4, 0).fit(TEXTS)
    main = numbers.transform(TEXTS)[:, -4:]
    tickets = np.array([text.startswith("ticket") for text in TEXTS])
    gaps = np.abs(main[tickets].mean(axis=0) - main[~tickets].mean(axis=0)) / main.std(axis=0)
    assert gaps.max() > 1.5


def test_each_text_is_converted_for_itself():
    numbers = TextNumbers(4, 0).fit(TEXTS)
    whole = numbers.transform(TEXTS)
    alone = np.vstack([numbers.transform(TEXTS[i : i + 1]) for i in range(len(TEXTS))])
    np.testing.assert_allclose(whole, alone, atol=1e-12)
    np.testing.assert_array_equal(whole, TextNumbers(4, 0).fit(TEXTS).transform(TEXTS))


@pytest.mark.parametrize("texts", [["a"], ["a", "b"], ["", " "], ["x" * 5000, "é\u4e2d"]])
def test_few_odd_and_long_texts(texts):
    texts = np.array(texts, dtype=object)
    numbers = TextNumbers(8, 0).fit(texts)
    assert numbers.transform(texts).shape == (len(texts), len(numbers.suffixes))
    assert np.isfinite(numbers.transform(np.array(["unseen", "", "9" * 300], dtype=object))).all()


def test_texts_that_are_alike_where_they_are_read():
    texts = np.array(["x" * 5000 + str(i) for i in range(60)], dtype=object)
    numbers = TextNumbers(8, 0).fit(texts)  # warnings are errors here
    assert np.isfinite(numbers.transform(texts)).all()


def test_no_texts():
    numbers = TextNumbers(4, 0).fit(TEXTS)
    assert numbers.transform(np.array([], dtype=object)).shape == (0, len(numbers.suffixes))
