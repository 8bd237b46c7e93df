"""What all tasks share."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import random as random_sparse
from sklearn.linear_model import Ridge

from skauto.estimators import MLPClassifier
from skauto.search._shared import Shared, View


def round_trip(content):
    """An object as another process would load it."""
    shared = Shared(content)
    view = View(shared.fileno(), shared.layout)
    shared.close()
    return view


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(20)[::2],
        np.zeros((0, 3)),
        np.array(["a", None], dtype=object),
        np.arange(3, dtype=np.int8),
        np.array([("a", 1)], dtype=[("name", "U3"), ("n", "i4")]),
    ],
)
def test_arrays(array):
    found = round_trip([array, array]).content
    np.testing.assert_array_equal(found[0], array)
    assert found[0] is found[1] and found[0].dtype == array.dtype
    assert found[0].flags.writeable and found[0].flags.aligned


def test_what_is_only_read_stays_so():
    array = np.arange(3)
    array.flags.writeable = False
    assert not round_trip(array).content.flags.writeable


def test_frames():
    frame = pd.DataFrame({"n": [1.0, None], "c": pd.Categorical(["x", "y"]), "s": ["a", "b"], "i": [1, 2]})
    pd.testing.assert_frame_equal(round_trip(frame).content, frame)


def test_views_are_apart_from_each_other_and_can_be_restored():
    shared = Shared(np.arange(5))
    one, two = (View(shared.fileno(), shared.layout) for _ in range(2))
    one.content[:] = 7
    assert one.content.tolist() == [7] * 5
    assert two.content.tolist() == [0, 1, 2, 3, 4]
    one.restore()
    assert one.content.tolist() == [0, 1, 2, 3, 4]
    shared.close()


def test_sparse_matrices_are_never_set_back():
    view = round_trip({"X": random_sparse(10, 10, 0.5, format="csr", random_state=0)})
    view.content["X"].data[:] = 3
    view.restore()
    assert set(view.content["X"].data) == {3}


def test_no_file_is_to_be_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared = Shared(np.arange(5))
    assert os.listdir(tmp_path) == []
    shared.close()


def test_what_cannot_be_pickled():
    with pytest.raises(TypeError, match="what the workers need cannot be pickled .*; look at scoring and estimators"):
        Shared(name for name in "ab")


def test_a_folder_that_is_gone_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match=f"make room in {tmp_path}/gone, or name another folder .* TMPDIR"):
        Shared(1)


def test_networks_are_met_as_objects_as_classes_and_in_what_the_user_derives_from_them():
    class Own(MLPClassifier):
        pass

    for found, content in [
        (True, {"a": MLPClassifier()}),
        (True, [MLPClassifier]),
        (True, Own()),
        (False, [Ridge(), Ridge]),
    ]:
        shared = Shared(content)
        assert shared.has_network == found
        shared.close()
