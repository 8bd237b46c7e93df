"""Numbers as people write them, beside what a reader would say they are."""

import numpy as np
import pytest

from skauto.estimators.tables._table_numbers import are_padded, learn_numbers


def read(*texts):
    """The numbers of texts, None where they are none."""
    found = learn_numbers(np.array(texts, dtype=object), np.full(len(texts), 10))
    return None if found is None else found[1].tolist()


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "2.5", "-3e2", "+5", "007"], [1, 2.5, -300, 5, 7]),
        (["10.65%", "-3 %"], [10.65, -3]),
        (["$12,000", "$1,234.50", "($5.00)", "-$7"], [12000, 1234.5, -5, -7]),
        (["\u20ac 5", "\u20ac 7,50", "\u20ac 1.000,25"], [5, 7.5, 1000.25]),
        (["USD 5", "USD 7.50"], [5, 7.5]),
        (["36 months", "1 month"], [36, 1]),
        (["2 days", "3 weeks"], [172800, 1814400]),
        (["1.2k", "3M", "500"], [1200, 3e6, 500]),
        (["\u20ac1.2K", "\u20ac3M", "\u20ac0"], [1200, 3e6, 0]),
        (["1,000+", "5,000,000+", "10+"], [1000, 5e6, 10]),
        (["1,5", "2,25", "1.234,5"], [1.5, 2.25, 1234.5]),
        (["1\u00a0234,5", "2\u00a0000,1"], [1234.5, 2000.1]),
        (["12,000", "1,500", "900"], [12000, 1500, 900]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["37.5\u00b0C", "38 \u00b0C"], [37.5, 38]),
        (["10+ years", "2 years", "< 1 year"], [10, 2, 0.99]),
        (["<5", ">100", "\u22647"], [4.95, 101, 7]),
        (["1'234.5", "2'000"], [1234.5, 2000]),
    ],
)
def test_numbers_are_read(texts, numbers):
    np.testing.assert_allclose(read(*texts), numbers)


@pytest.mark.parametrize(
    "texts",
    [
        ["5mg", "3ml"],
        ["A11", "B2"],
        ["12A", "3B"],
        ["40-49", "50-59"],
        ["a", "b"],
        ["1", "x"],
        ["1.2.2024", "3.4.2024"],
    ],
)
def test_others_are_none(texts):
    assert read(*texts) is None


def test_a_few_words_may_stand_among_many_numbers():
    assert np.isnan(read(*map(str, range(40)), "soon")[-1])
    assert read(*map(str, range(6)), "soon") is None
    assert read(*map(str, range(40)), *"abcdef") is None


def test_each_text_is_read_for_itself():
    texts = np.array(["1,5", "2,25", "1.234,5"], dtype=object)
    form, numbers = learn_numbers(texts, np.ones(3, dtype=int))
    assert [form.read(texts[i : i + 1])[0] for i in range(3)] == numbers.tolist()
    assert form.said == "with decimal commas"


def learned(texts):
    distinct, counts = np.unique(np.asarray(texts, dtype=str), return_counts=True)
    return learn_numbers(distinct.astype(object), counts)


def test_points_between_thousands_are_no_fractions():
    """950 counted as more than 4.210, which is 4210."""
    numbers = np.random.default_rng(0).integers(100, 5000, 300)
    texts = np.array([f"{number:,}".replace(",", ".") for number in numbers], dtype=object)
    form, _ = learned(texts)
    np.testing.assert_array_equal(form.read(texts), numbers)
    assert form.said == "with points between thousands"
    few = np.array([*map(str, range(100, 500)), "1.234.567"], dtype=object)
    assert learned(few)[0].read(few)[-1] == 1234567


@pytest.mark.parametrize(
    "texts", [["0.125", "3", "1.500"], ["1.234", "2.345", "12"], ["1.200", "2.450"], ["1.2", "950"]]
)
def test_fractions_stay_fractions(texts):
    texts = np.array(texts * 5, dtype=object)
    form, _ = learned(texts)
    np.testing.assert_array_equal(form.read(texts), texts.astype(float))


@pytest.mark.parametrize(
    ("few", "numbers"),
    [(["1,200", "42,000"], [1200, 42000]), (["(491)"], [-491]), (["~57", ">1000"], [57, 1010]), (["3,5"], [3.5])],
)
def test_a_few_numbers_written_otherwise_are_no_gaps(few, numbers):
    """The largest of a column, written with thousands, were missing: all that a heavy tail has to say."""
    texts = np.array([*map(str, range(1, 600)), *few], dtype=object)
    form, _ = learned(texts)
    np.testing.assert_array_equal(form.read(texts), [*range(1, 600), *numbers])


@pytest.mark.parametrize(
    "written",
    ["AED {}", "THB {}", "{} kg/m3", "{} m/s2", "{} \u00b1 0.1", "approx. {}", "ca. {}", "{} (est.)", "Fr. {}"],
)
def test_further_currencies_units_and_marks_of_doubt(written):
    numbers = np.round(np.random.default_rng(0).random(50) * 90, 2)
    texts = np.array([written.format(number) for number in numbers], dtype=object)
    np.testing.assert_array_equal(learned(texts)[0].read(texts), numbers)


def test_digits_of_one_width_with_zeros_in_front_are_codes():
    assert are_padded(np.array(["01067", "80331"], dtype=object))
    for quantities in (["1067", "80331"], ["05", "12"], ["0.125", "1.250"]):
        assert not are_padded(np.array(quantities, dtype=object))
