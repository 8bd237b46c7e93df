"""Packed files of every kind of net, after every step that it bears, in another process: the same bits.

Steps around networks of sequences fitted and changed nothing of the file, which could not be written at all.
"""

import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from skauto.estimators import (
    Binarize,
    CNNClassifier,
    CompressedClassifier,
    Distill,
    LowRank,
    MinGRUClassifier,
    MinLSTMClassifier,
    MLPClassifier,
    Prune,
    Quantize,
)

RNG = np.random.default_rng(0)
Y = np.array(["no", "yes"])[np.arange(60) % 2]
SHIFT = (Y == "yes") * 1.5
TABLE = RNG.normal(size=(60, 6)) + SHIFT[:, None]
IMAGES = np.clip(RNG.normal(100, 20, (60, 16, 16, 3)) + 50 * SHIFT[:, None, None, None], 0, 255).astype(np.uint8)
SERIES = [x[: 9 + i % 4] for i, x in enumerate(RNG.normal(size=(60, 12, 2)) + SHIFT[:, None, None])]
SERIES[3][2, 1] = np.nan
COMMON = {"max_epochs": 2, "random_state": 0, "device": "cpu"}
SMALL = {"width": 4, "depth": 1}
LONG = {"hidden_size": 24, "n_layers": 1}

NETS = {
    "mlp": (MLPClassifier(n_members=1, **COMMON), TABLE),
    "plain": (CNNClassifier(width=8, depth=1, **COMMON), IMAGES),
    "lenet5": (CNNClassifier(backbone="lenet5", **SMALL, **COMMON), IMAGES),
    "resnet": (CNNClassifier(backbone="resnet", **SMALL, **COMMON), IMAGES),
    "mobilenetv2": (CNNClassifier(backbone="mobilenetv2", **SMALL, **COMMON), IMAGES),
    "shufflenetv2": (CNNClassifier(backbone="shufflenetv2", **SMALL, **COMMON), IMAGES),
    "min_gru": (MinGRUClassifier(**LONG, **COMMON), SERIES),
    "min_gru_batch_last": (MinGRUClassifier(**LONG, normalization="batch", pooling="last", **COMMON), SERIES),
    "min_gru_float64": (MinGRUClassifier(**LONG, dtype="float64", conv_size=1, **COMMON), SERIES),
    "min_lstm": (MinLSTMClassifier(**LONG, bidirectional=True, pooling="attention", **COMMON), SERIES),
    "min_lstm_table": (MinLSTMClassifier(**LONG, normalization="none", **COMMON), TABLE),
}
ANY_NET = {
    "as it is": [],
    "pruned": [Prune(0.7, rounds=1, epochs=1)],
    "codebook": [Quantize(bits=4, epochs=1)],
    "product": [Quantize("product", bits=4, epochs=0)],
    "pruned codebook": [Prune(0.6, rounds=1, epochs=0), Quantize(bits=3, epochs=0)],
    "int8": [Quantize("int8")],
    "one bit": [Binarize("bwn", epochs=1)],
    "plus minus one": [Binarize("binaryconnect", epochs=0)],
}
REBUILT = {
    "low rank": [LowRank(ratio=0.5, epochs=0)],
    "low rank int8": [LowRank(ratio=0.5, epochs=0), Quantize("int8")],
    "reconstructed": [Quantize(bits=4, epochs=0, reconstruct=True)],
    "counted bits": [Binarize("xnor", epochs=0)],
    "filters": [Prune(0.3, what="filters", rounds=1, epochs=0), Quantize(bits=4, epochs=0)],
}
SEQUENCES = [name for name in NETS if name.startswith("min_")]
IN_ANOTHER_PROCESS = """
import sys, warnings
import joblib, numpy as np
from skauto.estimators import CompressedClassifier
folder = sys.argv[1]
rows = joblib.load(folder + "/rows.joblib")
for name, X in rows.items():
    if name.endswith(".joblib"):
        model = joblib.load(folder + "/" + name)
    else:
        model = CompressedClassifier.load(folder + "/" + name)
    np.save(folder + "/" + name + ".npy", model.predict_proba(X))
    if hasattr(model, "stream") and name.endswith("stream"):
        stream = model.stream(1)
        said = [stream.step(x[None]) for x in X[0]]
        np.save(folder + "/" + name + ".steps.npy", said)
"""


def chain(net, X, steps):
    named = [(f"s{number}", step) for number, step in enumerate(steps)]
    return CompressedClassifier(FrozenEstimator(net), named).fit(X, Y)


@pytest.fixture(scope="module")
def fitted():
    return {name: net.fit(X, Y) for name, (net, X) in NETS.items()}


def applicable(name):
    chains = ANY_NET | ({} if name in SEQUENCES else REBUILT)
    if name == "mlp":
        return {key: steps for key, steps in chains.items() if key != "filters"}
    return chains


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Binarize on 1 x 1")
def test_every_file_says_the_same_in_another_process(fitted, tmp_path):
    said, rows = {}, {}
    for name, net in fitted.items():
        X = NETS[name][1]
        joblib.dump(net, tmp_path / f"{name}.joblib")
        said[f"{name}.joblib"], rows[f"{name}.joblib"] = net.predict_proba(X), X
        for number, steps in enumerate(applicable(name).values()):
            model, file = chain(net, X, steps), f"{name}-{number}.skauto"
            model.save(tmp_path / file)
            said[file], rows[file] = model.predict_proba(X), X
    joblib.dump(rows, tmp_path / "rows.joblib")
    subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path)], check=True, timeout=500)
    assert len(said) > 100
    for file, here in said.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"{file}.npy"), here, err_msg=file)


@pytest.mark.parametrize("name", ["min_gru", "min_gru_float64", "min_lstm", "mlp"])
def test_steps_shrink_the_file(fitted, name):
    net, X = fitted[name], NETS[name][1]
    sizes = {key: len(chain(net, X, ANY_NET[key]).to_bytes()) for key in ("as it is", "pruned", "codebook", "int8")}
    whole = sizes.pop("as it is")
    assert max(sizes.values()) < 0.6 * whole, sizes
    report = chain(net, X, [Prune(0.8, rounds=1, epochs=0), Quantize(bits=4, epochs=0)]).steps_report_
    assert report["bytes"].is_monotonic_decreasing and report["bytes"].iloc[-1] < 0.3 * whole


def test_packed_networks_of_sequences_load_and_stream(fitted, tmp_path):
    model = chain(fitted["min_gru"], SERIES, [Prune(0.5, rounds=1, epochs=0), Quantize("int8")])
    again = CompressedClassifier.load(model.save(tmp_path / "net.skauto"))
    np.testing.assert_array_equal(again.predict_proba(SERIES), model.predict_proba(SERIES))
    stream = again.stream(1)
    for step in SERIES[0]:
        said = stream.step(step[None])
    np.testing.assert_allclose(said, model.predict_proba(SERIES[:1]), atol=1e-5)
    assert not hasattr(chain(fitted["mlp"], TABLE, []), "stream")
    with pytest.raises(ValueError, match="bidirectional=True cannot stream"):
        chain(fitted["min_lstm"], SERIES, []).stream()


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
@pytest.mark.parametrize(
    "step",
    [*[steps[-1] for key, steps in REBUILT.items() if key not in ("low rank int8", "filters")], Prune(what="filters")],
)
def test_steps_that_sequences_do_not_bear_are_refused_with_those_they_do(fitted, name, step):
    with pytest.raises(ValueError, match=r"does not bear; .*Prune\(what='weights'\), Quantize\('codebook'\).*Distill"):
        chain(fitted[name], SERIES, [step])


def test_networks_of_sequences_teach_and_are_taught(fitted):
    small = MinLSTMClassifier(hidden_size=8, n_layers=1, **COMMON)
    taught = chain(fitted["min_gru"], SERIES, [Distill(small, epochs=4), Quantize(bits=4, epochs=0)])
    assert len(taught.to_bytes()) < 0.3 * len(chain(fitted["min_gru"], SERIES, []).to_bytes())
    assert taught.predict_proba(SERIES).shape == (60, 2)


def test_damaged_files_of_sequences_are_refused(fitted, tmp_path):
    data = chain(fitted["min_lstm"], SERIES, [Quantize("int8")]).to_bytes()
    path = tmp_path / "net.skauto"
    for place in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
        with pytest.raises(ValueError, match="model file"):
            CompressedClassifier.load(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="model file"):
        CompressedClassifier.load(path)
