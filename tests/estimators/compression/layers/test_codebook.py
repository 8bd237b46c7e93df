import pytest
import torch

from skauto.estimators.compression.layers._codebook import input_gram, reconstruct, scalar_codes


def test_codewords_are_the_means_of_their_weights_and_zero_stays():
    weight = torch.randn(40, 50, generator=torch.Generator().manual_seed(0))
    weight[weight.abs() < 0.5] = 0
    codes, book = scalar_codes(weight, 3)
    assert len(book) == 7 and ((codes == -1) == (weight.flatten() == 0)).all()
    for code, value in enumerate(book[:, 0]):
        assert weight.flatten()[codes == code].mean() == pytest.approx(float(value), abs=1e-3)


def test_reconstruction_brings_the_output_nearer(digits_net):
    base, X, _ = digits_net
    net = base.module_
    example = base._prepare(base._tensors(base._check_X(X[:200], reset=False), reset=False), False)[0]
    layer, gram = net.get_submodule("features.6"), input_gram(net, "features.6", example)
    codes, book = scalar_codes(layer.weight, 2)

    def error(table):
        gap = table[codes, 0].view_as(layer.weight).flatten(1) - layer.weight.detach().flatten(1)
        return float(((gap @ gram) * gap).sum())

    best = reconstruct(layer.weight, codes, book, gram)
    assert error(best) < error(book)
    for code in range(len(book)):  # the least of squares: any codeword elsewhere is worse
        for factor in (0.98, 1.02):
            moved = best.clone()
            moved[code] *= factor
            assert error(moved) > error(best)
