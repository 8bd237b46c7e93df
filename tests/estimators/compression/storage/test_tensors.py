import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skauto.estimators.compression.storage._tensors import pack, unpack


@settings(max_examples=80, deadline=None)
@given(
    arrays(
        np.float32,
        st.sampled_from([(0,), (1,), (7,), (4, 6), (8, 3, 3, 3), (16, 16)]),
        elements=st.one_of(st.sampled_from([0.0, -0.0, 0.5, -0.5, 3e38]), st.floats(width=32, allow_nan=False)),
    )
)
def test_arrays_come_back_bit_for_bit(array):
    form, data = pack(array)
    back = unpack(form, data, "float32", array.shape)
    assert back.shape == array.shape and back.tobytes() == array.tobytes()


def of_form(form):
    """An array that one storage form fits best."""
    rng = np.random.default_rng(0)
    return {
        "raw": lambda: rng.normal(size=(30, 30)),
        "signs": lambda: np.sign(rng.normal(size=(9, 400))) * rng.random((9, 1)),
        "codes": lambda: rng.integers(0, 30, (50, 50)) / 7,
        "blocks4": lambda: rng.normal(size=(9, 4))[rng.integers(0, 9, 900)],
        "bitmap": lambda: np.where(np.arange(4000) % 9, 0, rng.normal(size=4000)),
        "half": lambda: rng.normal(size=1000).astype(np.float16),
    }[form]().astype(np.float32)


@pytest.mark.parametrize("form", ["raw", "signs", "codes", "blocks4", "bitmap", "half"])
def test_each_form_is_chosen_where_it_is_smallest(form):
    array = of_form(form)
    chosen, data = pack(array)
    assert chosen.split(":")[0] == form
    assert unpack(chosen, data, "float32", array.shape).tobytes() == array.tobytes()


def test_numbers_that_no_file_holds_are_named():
    with pytest.raises(TypeError, match="numbers of type complex64"):
        pack(np.zeros(3, np.complex64))


@pytest.mark.parametrize("form", ["signs", "signs:-3", "codes:-3", "codes:9999999999", "blocks4", "bitmap:-1", "half"])
def test_made_up_bytes_are_refused(form):
    for shape in ((), (0, 3), (5, 7)):
        with pytest.raises(ValueError):
            unpack(form, b"\1\2\3", "float32", shape)
