"""Whole filters: which to drop, dropping them, and what their batch norm still says kept in the layers behind."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require
from skauto.estimators.compression._batchnorm_folding import NORMS
from skauto.estimators.compression._channels import depthwise, groups, trace

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from skauto.estimators.compression._channels import Channels

torch = require("torch", extra="deep")
nn = torch.nn


def filters_at_first(net: "Module", example: Any, amount: float) -> dict[tuple, int]:
    """The number of filters of each group of layers, before this fraction is removed.

    Raises
    ------
    ValueError
        If nothing would be removed, or every filter of a layer.
    """
    channels = trace(net, example)
    found = {names: len(roots) for names, roots in groups(channels).items()}
    for names, count in found.items():
        alive = len({channels.find(label) for label in channels.outputs[names[0]]})
        if round(amount * count) >= alive:
            raise ValueError(
                f"amount={amount} would remove every one of the {alive} filters of {names[0]}; "
                f"at most {(alive - 1) / alive:.3f} leaves one"
            )
    if not any(round(amount * count) for count in found.values()):
        raise ValueError(f"amount={amount} removes no filter of this network: no layer has filters enough to spare")
    return found


def choose_filters(
    net: "Module", example: Any, amount: float, norm: str, at_first: dict[tuple, int] | None = None
) -> "tuple[Channels, set[int]]":
    """The labelled network, and the roots of the weakest filters of each group of layers.

    Where one of them has to stay as a carrier (see `remove_filters`) one more goes, so that as many are left.

    Parameters
    ----------
    net : torch.nn.Module
    example : tensor of shape (rows, channels, height, width)
    amount : float in (0, 1)
        The fraction of the filters `at_first` that is removed afterwards.
    norm : {"l1", "l2", "bn"}
        Li 2016 (sum of absolute weights), its L2 form, or the size of the batch-norm scale (Liu 2017).
    at_first : dict, default=None
        What `filters_at_first` found before anything was removed; None: before this call.
    """
    at_first = filters_at_first(net, example, amount) if at_first is None else at_first
    channels = trace(net, example)
    strength = _strengths(channels, norm)
    dead, spare = set(), {}
    for names, roots in groups(channels).items():
        before = at_first.get(names, len(roots))
        count = max(0, round(amount * before) - (before - len(roots)))
        alive = {channels.find(label) for label in channels.outputs[names[0]]}
        weakest = sorted(roots, key=strength.get)
        dead.update(weakest[:count])
        if count and count + 1 < len(alive):
            spare[names] = weakest[count : count + 1]
    if not dead:
        return channels, dead
    masked = trace(copy.deepcopy(net), example)
    mask_filters(masked, dead)
    for names in carriers(masked, dead, Constants(masked, dead).read(example)):
        dead.update(spare.get(names, ()))
    return channels, dead


@torch.no_grad()
def mask_filters(channels: "Channels", dead: Any) -> None:
    """Set the weights and biases of the dead filters to zero, in place; their batch norms are left as they are."""
    for name, labels in channels.outputs.items():
        layer = channels.fetch_attr(name)
        if isinstance(layer, NORMS):
            continue
        gone = _is_dead(channels, labels, dead)
        layer.weight[gone] = 0
        if layer.bias is not None:
            layer.bias[gone] = 0


@torch.no_grad()
def remove_filters(net: "Module", example: Any, channels: "Channels", dead: Any) -> None:
    """Remove the dead filters in place, structurally, so that the network answers as the masked one.

    A dead filter's output is zero before its batch norm, so beyond it a constant; what the constant adds to the next
    layer goes into that layer's bias. Zero padding cuts the constant off at borders, which no bias can say: for a layer
    with padding, one dead filter of the group stays as the carrier of a constant 1, and what the others add, tap by
    tap, goes into the weights that look at the carrier.
    """
    if not dead:
        return
    mask_filters(channels, dead)
    entering = Constants(channels, dead).read(example)
    kept = set(carriers(channels, dead, entering).values())
    _carry(channels, kept)
    carried = Constants(channels, kept).read(example)
    for name, labels in channels.inputs.items():
        layer = net.get_submodule(name)
        gone = torch.as_tensor(_is_dead(channels, labels, dead))
        carrier = torch.as_tensor(_is_dead(channels, labels, kept))
        made = channels.outputs.get(name)
        keep_out = torch.ones(layer.weight.shape[0], dtype=bool)
        if made is not None:
            keep_out = torch.as_tensor(~_is_dead(channels, made, dead - kept))
        if gone.any() and not isinstance(layer, NORMS) and not depthwise(layer):
            _absorb(layer, gone, entering[name], carrier, carried[name])
        _shrink(layer, ~gone | carrier, keep_out)


class Constants(torch.fx.Interpreter):
    """Runs the masked network on one image: the value of each dead channel where it enters a layer.

    Each dead channel is constant over positions, so it is read at the middle of its map.
    """

    def __init__(self, channels: "Channels", dead: Any) -> None:
        super().__init__(channels.module)
        self.channels, self.dead, self.entering = channels, dead, {}

    @torch.no_grad()
    def read(self, example: Any) -> "dict[str, Tensor]":
        """Layer name to the constant of each of its inputs, 0 for those that are alive."""
        self.run(example[:1])
        return self.entering

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        if target in self.channels.inputs:
            gone = torch.as_tensor(_is_dead(self.channels, self.channels.inputs[target], self.dead))
            value = args[0][0]
            value = value[:, value.shape[1] // 2, value.shape[2] // 2] if value.dim() > 1 else value
            self.entering[target] = torch.where(gone, value, 0.0)
        return super().call_module(target, args, kwargs)


def carriers(channels: "Channels", dead: Any, entering: "dict[str, Tensor]") -> dict[tuple, int]:
    """One dead root for each group whose constants meet a border: layer names to root."""
    cut_off = set()
    for name, labels in channels.inputs.items():
        layer = channels.fetch_attr(name)
        if isinstance(layer, nn.Conv2d) and not depthwise(layer) and any(layer.padding):
            some = zip(labels, entering[name].tolist(), strict=True)
            cut_off.update(channels.find(label) for label, value in some if value)
    found = {names: [root for root in roots if root in dead & cut_off] for names, roots in groups(channels).items()}
    return {names: min(roots) for names, roots in found.items() if roots}


def _carry(channels, kept):
    """Make the masked filters `kept` a constant 1 behind each of the layers that make them."""
    for name, labels in channels.outputs.items():
        layer = channels.fetch_attr(name)
        chosen = torch.as_tensor(_is_dead(channels, labels, kept))
        if isinstance(layer, NORMS):
            layer.weight[chosen] = 0
        if layer.bias is not None:
            layer.bias[chosen] = 1


def _absorb(layer, gone, entering, carrier, carried):
    """Take what the dead inputs add into the weights of a carrier among the inputs, or else into the bias."""
    weight = layer.weight
    taps = torch.einsum("oi...,i->o...", weight[:, gone], entering[gone])
    weight[:, gone] = 0
    padded = isinstance(layer, nn.Conv2d) and any(layer.padding)
    usable = (carrier & (carried != 0)).nonzero().flatten()
    if padded and len(usable):
        weight[:, usable[0]] = taps / carried[usable[0]]
        return
    shift = taps.flatten(1).sum(1) if taps.dim() > 1 else taps
    if layer.bias is None:
        if not shift.any():
            return
        layer.bias = nn.Parameter(torch.zeros_like(shift))
    layer.bias += shift


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
    kept = value[keep].clone()
    setattr(layer, key, nn.Parameter(kept) if isinstance(value, nn.Parameter) else kept)
