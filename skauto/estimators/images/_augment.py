"""Augmentation in torch operations: every function takes and gives images (rows, channels, height, width) in [0, 1]."""

import math
from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from skauto._deps import require
from skauto.inputs._closest import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
functional = torch.nn.functional


def warp(
    x: "Tensor", flip: float = 0.0, shift: float = 0.0, rotation: float = 0.0, perspective: float = 0.0
) -> "Tensor":
    """Each image randomly mirrored, shifted, rotated and tilted, in one resampling; pixels from outside are black.

    Parameters
    ----------
    x : tensor of shape (rows, channels, height, width)
    flip : float in [0, 1]
        Probability of a left-right mirror image.
    shift : float
        Largest shift along each axis, as a fraction of the side.
    rotation : float
        Largest rotation to either side, in degrees.
    perspective : float
        Largest tilt about each axis: the change of scale from the middle to a border.
    """
    rows, _, high, wide = x.shape
    angle = _uniform(rows, math.radians(rotation))
    mirror = 1 - 2 * (torch.rand(rows) < flip).float()
    matrix = torch.zeros(rows, 3, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = mirror * angle.cos(), -angle.sin() * high / wide
    matrix[:, 1, 0], matrix[:, 1, 1] = mirror * angle.sin() * wide / high, angle.cos()
    matrix[:, 0, 2], matrix[:, 1, 2] = _uniform(rows, 2 * shift), _uniform(rows, 2 * shift)
    matrix[:, 2, 0], matrix[:, 2, 1] = _uniform(rows, perspective), _uniform(rows, perspective)
    matrix[:, 2, 2] = 1
    down = (torch.arange(high) * 2 + 1) / high - 1
    across = (torch.arange(wide) * 2 + 1) / wide - 1
    points = torch.stack([across.expand(high, wide), down[:, None].expand(high, wide), torch.ones(high, wide)], -1)
    at = torch.einsum("hwj,nij->nhwi", points, matrix)
    grid = at[..., :2] / at[..., 2:].clamp_min(0.1)
    return functional.grid_sample(x, grid.to(x.device), align_corners=False)


def crop(x: "Tensor", shift: float) -> "Tensor":
    """Each image moved by whole pixels, up to this fraction of the side; what comes in repeats the border.

    Several times as fast as `warp`, which interpolates.
    """
    rows, _, high, wide = x.shape
    most_down, most_across = round(shift * high), round(shift * wide)
    padded = functional.pad(x, (most_across, most_across, most_down, most_down), mode="replicate")
    down = torch.randint(0, 2 * most_down + 1, (rows, 1)) + torch.arange(high)
    across = torch.randint(0, 2 * most_across + 1, (rows, 1)) + torch.arange(wide)
    image = torch.arange(rows)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[image, down[:, :, None], across[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def noise(x: "Tensor", strength: float) -> "Tensor":
    """Gaussian noise of this standard deviation on every pixel."""
    return (x + strength * torch.randn_like(x)).clamp(0, 1)


def cutout(x: "Tensor", side: float) -> "Tensor":
    """A grey square whose side is this fraction of the image's, somewhere in each image (DeVries 2017)."""
    rows, _, high, wide = x.shape
    down = torch.rand(rows, 1, 1, 1) * high - torch.arange(high).view(1, 1, -1, 1)
    across = torch.rand(rows, 1, 1, 1) * wide - torch.arange(wide).view(1, 1, 1, -1)
    inside = (down.abs() <= side * high / 2) & (across.abs() <= side * wide / 2)
    return torch.where(inside.to(x.device), 0.5, x)


def fog(x: "Tensor", probability: float) -> "Tensor":
    """Some images fade towards light grey, more so in smooth random patches."""
    rows, _, high, wide = x.shape
    patches = torch.rand(rows, 1, 3, 3, device=x.device)
    depth = functional.interpolate(patches, (high, wide), mode="bicubic", align_corners=True).clamp(0, 1)
    depth = (0.2 + 0.6 * depth) * _chosen(x, probability)
    return x * (1 - depth) + 0.85 * depth


def rain(x: "Tensor", probability: float) -> "Tensor":
    """Some images get slanted light streaks and are darkened a little."""
    rows, _, high, wide = x.shape
    drops = (torch.rand(rows, 1, high, wide, device=x.device) < 0.02).float()
    length = max(2, high // 6)
    streaks = sum(drops.roll((step, step // 3), (2, 3)) for step in range(length)).clamp(max=1)
    wet = (0.85 * x + 0.5 * streaks).clamp(0, 1)
    return torch.where(_chosen(x, probability).bool(), wet, x)


def shadow(x: "Tensor", probability: float) -> "Tensor":
    """One side of a random line across some images is darkened."""
    rows, _, high, wide = x.shape
    angle, offset = _uniform(rows, math.pi), _uniform(rows, 0.5)
    down = torch.linspace(-1, 1, high).view(1, -1, 1)
    across = torch.linspace(-1, 1, wide).view(1, 1, -1)
    side = angle.cos().view(-1, 1, 1) * across + angle.sin().view(-1, 1, 1) * down > offset.view(-1, 1, 1)
    dark = 1 - side[:, None].to(x.device) * _chosen(x, probability) * 0.5
    return x * dark


class Mixup(torch.nn.Module):
    """Mixup (Zhang 2018): images blended in pairs, and the loss blended equally.

    `inputs` is called on a batch, then the module itself, as the criterion, on the network's output.
    """

    def __init__(self, alpha: float, criterion: "Module") -> None:
        super().__init__()
        self.blend, self.criterion = torch.distributions.Beta(alpha, alpha), criterion
        self.order = None

    def inputs(self, x: "Tensor", training: bool) -> "Tensor":
        """The blended batch; the batch itself where not training."""
        if not training:
            self.order = None
            return x
        self.order, self.lam = torch.randperm(len(x)), float(self.blend.sample())
        return self.lam * x + (1 - self.lam) * x[self.order]

    def forward(self, logits: "Tensor", codes: "Tensor", weights: "Tensor") -> "Tensor":
        """The loss against both images' classes."""
        own = self.criterion(logits, codes, weights)
        if self.order is None:
            return own
        return self.lam * own + (1 - self.lam) * self.criterion(logits, codes[self.order], weights[self.order])


class MixStyle:
    """A forward hook that swaps feature statistics between images in training (Zhou 2021, "MixStyle", section 3.2)."""

    def __init__(self, probability: float, alpha: float = 0.1) -> None:
        self.probability, self.blend = probability, torch.distributions.Beta(alpha, alpha)

    def __call__(self, module: "Module", inputs: Any, output: "Tensor") -> "Tensor":
        if not module.training or torch.rand(()) >= self.probability:
            return output
        spread, mean = torch.std_mean(output.detach(), dim=(2, 3), keepdim=True, correction=0)
        spread = spread + 1e-6
        lam = self.blend.sample((len(output), 1, 1, 1)).to(output.device)
        order = torch.randperm(len(output))
        new_mean = lam * mean + (1 - lam) * mean[order]
        new_spread = lam * spread + (1 - lam) * spread[order]
        return (output - mean) / spread * new_spread + new_mean


WARPS = ("flip", "shift", "rotation", "perspective")
EFFECTS = {"crop": crop, "noise": noise, "cutout": cutout, "fog": fog, "rain": rain, "shadow": shadow}
# A strength that is found from the images, where mirrored ones look like others of their class.
AUTO = {"flip": "auto"}
# the largest strength of each; 0 is none
LIMITS = dict.fromkeys((*WARPS, *EFFECTS), 1.0) | {
    "rotation": 180.0,
    "perspective": 0.8,
    "crop": 0.5,
    "mixup": 10.0,
    "mixstyle": 1.0,
}


def check_augment(augment: Mapping[str, Any] | None) -> None:
    """Raise a ValueError for an unknown name or a strength out of range."""
    for name, strength in (augment or {}).items():
        if name not in LIMITS:
            known = ", ".join(LIMITS)
            raise ValueError(f"augment has an unknown entry {name!r}, known are {known}{did_you_mean(name, LIMITS)}")
        if isinstance(strength, str) and strength == AUTO.get(name):
            continue
        is_number = isinstance(strength, Real) and not isinstance(strength, bool)
        if not is_number or not 0 <= float(strength) <= LIMITS[name]:
            raise ValueError(
                f"augment[{name!r}] must be a number from 0 to {LIMITS[name]:g}, got {strength!r}; leave the entry out "
                "for none"
            )


def augmented(x: "Tensor", augment: Mapping[str, float]) -> "Tensor":
    """A batch with the warps and effects that `augment` names, a dict of strengths."""
    moves = {name: augment[name] for name in WARPS if augment.get(name)}
    if set(moves) == {"flip"}:
        chosen = (torch.rand(len(x), 1, 1, 1) < moves["flip"]).to(x.device)
        x = torch.where(chosen, x.flip(3), x)
    elif moves:
        x = warp(x, **moves)
    for name, effect in EFFECTS.items():
        if augment.get(name):
            x = effect(x, augment[name])
    return x


def _uniform(rows, limit):
    return (2 * torch.rand(rows) - 1) * limit


def _chosen(x, probability):
    return (torch.rand(len(x), 1, 1, 1) < probability).float().to(x.device)
