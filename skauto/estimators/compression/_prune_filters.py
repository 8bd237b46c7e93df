"""Whole filters: which to drop, dropping them, and what their batch norm still says folded into the next bias."""

import numpy as np

from skauto._deps import require
from skauto.estimators.compression._channels import NORMS, depthwise, groups, trace

torch = require("torch", extra="deep")
nn = torch.nn


def choose_filters(net, example, amount, norm):
    """The roots of the `amount` weakest filters of each group of layers, and the labelled network.

    Parameters
    ----------
    net : torch.nn.Module
    example : tensor of shape (rows, channels, height, width)
    amount : float in (0, 1)
    norm : {"l1", "l2", "bn"}
        Li 2016 (sum of absolute weights), its L2 form, or the size of the batch-norm scale (Liu 2017).

    Raises
    ------
    ValueError
        If nothing can be removed, or if every filter of a layer would be.
    """
    channels = trace(net, example)
    strength = _strengths(channels, norm)
    dead = set()
    for names, roots in groups(channels).items():
        count = int(round(amount * len(roots)))
        alive = {channels.find(label) for label in channels.outputs[names[0]]}
        if count >= len(alive):
            raise ValueError(
                f"amount={amount} would remove every one of the {len(alive)} filters of {names[0]}; "
                f"at most {(len(alive) - 1) / len(alive):.3f} leaves one"
            )
        dead.update(sorted(roots, key=strength.get)[:count])
    if not dead:
        raise ValueError(f"amount={amount} removes no filter of this network: no layer has filters enough to spare")
    return channels, dead


@torch.no_grad()
def mask_filters(channels, dead):
    """Set the weights and biases of the dead filters to zero, in place; their batch norms are left as they are."""
    for name, labels in channels.outputs.items():
        layer = channels.fetch_attr(name)
        if isinstance(layer, NORMS):
            continue
        gone = _is_dead(channels, labels, dead)
        layer.weight[gone] = 0
        if layer.bias is not None:
            layer.bias[gone] = 0


def remove_filters(net, example, channels, dead):
    """Remove the dead filters in place, structurally.

    A dead filter's output is zero before its batch norm, so beyond it a constant; what the constant adds to the next
    layer goes into that layer's bias. This is exact except where the next layer's zero padding cuts the constant off.
    """
    mask_filters(channels, dead)
    constants = Constants(channels, dead)
    with torch.no_grad():
        constants.run(example[:1])
        for name, labels in channels.inputs.items():
            layer = net.get_submodule(name)
            keep_in = torch.as_tensor(~_is_dead(channels, labels, dead))
            made = channels.outputs.get(name)
            keep_out = torch.ones(layer.weight.shape[0], dtype=bool)
            if made is not None:
                keep_out = torch.as_tensor(~_is_dead(channels, made, dead))
            _absorb(net, name, layer, keep_in, constants.entering[name])
            _shrink(net.get_submodule(name), keep_in, keep_out)


class Constants(torch.fx.Interpreter):
    """Runs the masked network on zeros of one pixel's worth: the value of each dead channel away from borders.

    Each dead channel is constant over positions, so it is read at the middle of its map.
    """

    def __init__(self, channels, dead):
        super().__init__(channels.module)
        self.channels, self.dead, self.entering = channels, dead, {}

    def call_module(self, target, args, kwargs):
        if target in self.channels.inputs:
            gone = torch.as_tensor(_is_dead(self.channels, self.channels.inputs[target], self.dead))
            value = args[0][0]
            value = value[:, value.shape[1] // 2, value.shape[2] // 2] if value.dim() > 1 else value
            self.entering[target] = torch.where(gone, value, 0.0)
        return super().call_module(target, args, kwargs)


def _strengths(channels, norm):
    total = {}
    for name, labels in channels.outputs.items():
        layer = channels.fetch_attr(name)
        if isinstance(layer, NORMS) != (norm == "bn") or layer.weight is None:
            continue
        weight = layer.weight.detach().flatten(1) if norm != "bn" else layer.weight.detach()[:, None]
        size = weight.abs().sum(1) if norm != "l2" else weight.square().sum(1).sqrt()
        size = (size / size.mean().clamp_min(1e-12)).tolist()
        for label, value in zip(labels, size, strict=True):
            root = channels.find(label)
            total[root] = total.get(root, 0.0) + value
    return {root: total.get(root, np.inf) for root in map(channels.find, range(len(channels.parent)))}


def _is_dead(channels, labels, dead):
    return np.array([channels.find(label) in dead for label in labels], dtype=bool)


def _absorb(net, name, layer, keep_in, entering):
    """Take what the dead inputs still add into the bias."""
    if isinstance(layer, NORMS) or depthwise(layer) or keep_in.all():
        return
    weight = layer.weight.flatten(2).sum(2) if layer.weight.dim() > 2 else layer.weight
    shift = weight @ entering
    if layer.bias is None:
        if not shift.any():
            return
        layer.bias = nn.Parameter(torch.zeros_like(shift))
    layer.bias += shift


def _shrink(layer, keep_in, keep_out):
    if isinstance(layer, NORMS):
        for key in ("weight", "bias", "running_mean", "running_var"):
            _cut(layer, key, keep_in)
        layer.num_features = int(keep_in.sum())
        return
    _cut(layer, "weight", keep_out)
    if layer.bias is not None:
        _cut(layer, "bias", keep_out)
    if depthwise(layer):
        layer.groups = layer.in_channels = layer.out_channels = int(keep_out.sum())
        return
    layer.weight = nn.Parameter(layer.weight[:, keep_in].clone())
    if isinstance(layer, nn.Conv2d):
        layer.in_channels, layer.out_channels = int(keep_in.sum()), int(keep_out.sum())
    else:
        layer.in_features, layer.out_features = int(keep_in.sum()), int(keep_out.sum())


def _cut(layer, key, keep):
    value = getattr(layer, key)
    cut = value[keep].clone()
    setattr(layer, key, nn.Parameter(cut) if isinstance(value, nn.Parameter) else cut)
