"""Grad-CAM: where in an image a network saw its class (Selvaraju 2017)."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto.estimators._networks import network_inside, why_no_network
from skauto.estimators.compression._graph import UntraceableError, traced
from skauto.inputs._closest import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")

# What blurs a map: one looks at what stands before it.
AVERAGES = (
    torch.nn.AdaptiveAvgPool2d,
    torch.nn.AvgPool2d,
    torch.nn.functional.adaptive_avg_pool2d,
    torch.nn.functional.avg_pool2d,
)

BATCH = 256


def grad_cam(estimator: Any, X: Any, target: Any = None, *, layer: str | None = None) -> np.ndarray:
    """Heat maps of the evidence for a class (Grad-CAM).

    Parameters
    ----------
    estimator : CNNClassifier, or an estimator with one inside
        Fitted: a CompressedClassifier, a threshold, a Pipeline that ends in one, an AutoClassifier, of which the best
        pipeline is searched, then the ensemble. An int8 network has no gradients and raises an error.
    X : array
        Images, as `predict` takes them.
    target : label or array-like of shape (n,), default=None
        The class to explain, one for all or one for each image. None: the predicted class.
    layer : str, default=None
        Name of the module whose output is used, such as "layer4", as in ``module_.named_modules()``. None: the output
        of the last block, after norm and activation and before pooling; of the last one whose map is larger than one
        pixel, if there is one.

    Returns
    -------
    maps : ndarray of float32, shape (n, height, width)
        In [0, 1]; the hottest pixel of an image is 1; all are 0 where there is no evidence for the class.

    Raises
    ------
    ValueError
        If a target is no class, there are more or fewer than images, or there is no such layer, or no map in it.
    TypeError
        If there is no image network in the estimator.

    References
    ----------
    Selvaraju et al. 2017, "Grad-CAM", section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators import CNNClassifier, grad_cam
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CNNClassifier(width=8, max_epochs=2, random_state=0).fit(X, y)
    >>> grad_cam(clf, X[:3]).shape
    (3, 8, 8)
    """
    check_is_fitted(estimator)
    network, X_inside = _image_network(estimator, X)
    images = network._tensors(network._check_X(X_inside, reset=False), reset=False)[0]
    if target is None and network is not estimator:  # a threshold may predict another class than the network
        target = estimator.predict(X)
    codes = _codes(network, target, len(images))
    module = network.module_.cpu()
    watch = _watch(module, layer, network._prepare((images[:1],), False)[0])
    batches = []
    for start in range(0, len(images), BATCH):
        x = network._prepare((images[start : start + BATCH],), False)[0]
        wanted = None if codes is None else codes[start : start + BATCH]
        batches.append(_maps(watch, x, wanted))
    return torch.cat(batches).numpy()


def _image_network(estimator, X):
    """The image network inside, and X as that sees it."""
    found, X = network_inside(estimator, X)
    if not found or not hasattr(found[-1], "image_shape_"):
        raise TypeError(why_no_network(estimator, "grad_cam needs a CNNClassifier", "image"))
    return found[-1], X


def _codes(estimator, target, count):
    if target is None:
        return None
    labels = np.asarray(target)
    if labels.shape not in ((), (count,)):
        raise ValueError(
            f"target has shape {labels.shape}, but X has {count} images; give one class for all, or one for each image"
        )
    labels = np.broadcast_to(labels, (count,))
    unknown = np.setdiff1d(labels, estimator.classes_)
    if len(unknown):
        raise ValueError(f"target {unknown.tolist()} is no class; the classes are {estimator.classes_.tolist()}")
    return torch.as_tensor(np.searchsorted(estimator.classes_, labels))


def _watch(module, layer, x):
    """``watch(x) -> logits, map``: a run of the network, with what the layer gives, or the last block with room."""
    if layer is not None:
        return _watched_layer(module, layer)
    try:
        graph = traced(module)
    except UntraceableError:  # its path depends on its input: what the modules give has to do
        return _watched_layer(module, _last_module_with_room(module, x))
    node = _last_node_with_room(graph, x)
    return lambda x: Watching(graph, node).watch(x)


class Watching(torch.fx.Interpreter):
    """Runs a network and keeps what every node gives that is a map, or what a single one does."""

    def __init__(self, graph: "Module", node: Any = None) -> None:
        super().__init__(graph)
        self.node, self.maps = node, {}

    def run_node(self, node: Any) -> Any:
        result = super().run_node(node)
        if node is self.node or (self.node is None and _is_map(result) and not self._averages(node)):
            self.maps[node] = result
        return result

    def watch(self, x: "Tensor") -> "tuple[Tensor, Tensor]":
        """Logits, and the map of the node."""
        return self.run(x), self.maps[self.node]

    def _averages(self, node):
        """Whether a node is the input, or blurs what it is given."""
        made = type(self.fetch_attr(node.target)) if node.op == "call_module" else node.target
        return node.op == "placeholder" or made in AVERAGES


def _last_node_with_room(graph, x):
    """The last node behind which is a map of more than one pixel; the last with a map if none is larger."""
    watching = Watching(graph)
    with torch.no_grad():
        watching.run(x)
    return _last_with_room({node: result[0, 0].numel() for node, result in watching.maps.items()})


def _last_module_with_room(module, x):
    """Name of the last module to end whose result is a map of more than one pixel."""
    areas, hooks = {}, []

    def look(name, result):
        if _is_map(result):
            areas[name] = result[0, 0].numel()

    for name, part in module.named_modules():
        if type(part) not in AVERAGES:
            hooks.append(part.register_forward_hook(lambda m, args, out, name=name: look(name, out)))
    with torch.no_grad(), _removed_after(hooks):
        module(x)
    return _last_with_room(areas)


def _last_with_room(areas):
    if not areas:
        raise TypeError("grad_cam needs a network with convolutions, in which images stay images for a while")
    return next((place for place in reversed(areas) if areas[place] > 1), list(areas)[-1])


def _is_map(result):
    return isinstance(result, torch.Tensor) and result.dim() == 4 and result.is_floating_point()


def _watched_layer(module, name):
    """The same for a layer that is named."""
    parts = dict(module.named_modules())
    if name not in parts:
        there = [part for part in parts if part]
        hint = did_you_mean(name, there, before=". ") or "."
        raise ValueError(f"layer={name!r} is no module of the network{hint} There are {', '.join(there)}")

    def watch(x):
        seen = []
        with _removed_after([parts[name].register_forward_hook(lambda m, args, out: seen.append(out))]):
            logits = module(x)
        if not seen or not _is_map(seen[-1]):
            shape = f"of shape {tuple(seen[-1].shape)}" if seen and hasattr(seen[-1], "shape") else "that is none"
            raise ValueError(
                f"layer={name!r} gives a result {shape}; grad_cam needs one whose result is a map (images, channels, "
                "height, width), such as a stage of convolutions"
            )
        return logits, seen[-1]

    return watch


@contextmanager
def _removed_after(hooks):
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _maps(watch, x, codes):
    """Activations of the layer, weighted by the mean gradient of the class's logit, positive part, 0 to 1."""
    with torch.enable_grad():
        logits, seen = watch(x.requires_grad_())
        if not (logits.requires_grad and seen.requires_grad):
            raise TypeError("grad_cam needs gradients, and behind an int8 layer there are none")
        codes = logits.argmax(1) if codes is None else codes
        (grad,) = torch.autograd.grad(logits.gather(1, codes[:, None]).sum(), seen, allow_unused=True)
    if grad is None:
        raise TypeError("grad_cam needs gradients, and behind an int8 layer there are none")
    heat = (seen.detach() * grad.mean((2, 3), keepdim=True)).sum(1, keepdim=True).relu()
    heat = torch.nn.functional.interpolate(heat, x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return heat / heat.amax((1, 2), keepdim=True).clamp_min(1e-12)


class GradCAMDisplay:
    """Heat maps over their images.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, channels)
        In [0, 1]. Of 3 or 4 channels the first three are drawn as colours, of any other number their mean as grey.
    maps : ndarray of shape (n, height, width)
        From `grad_cam`.
    labels : sequence of length n
        Class that each map explains.

    Attributes
    ----------
    figure_, axes_ : matplotlib objects
        Set by `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators import CNNClassifier, GradCAMDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CNNClassifier(width=8, max_epochs=2, random_state=0).fit(X, y)
    >>> GradCAMDisplay.from_estimator(clf, X[:2]).frame().columns.tolist()
    ['image', 'row', 'column', 'heat']
    """

    def __init__(self, images: np.ndarray, maps: np.ndarray, labels: Any) -> None:
        self.images = images
        self.maps = maps
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, target: Any = None, *, layer: str | None = None) -> Self:
        """Compute the maps; parameters as of `grad_cam`. The images are those that the network inside sees."""
        maps = grad_cam(estimator, X, target, layer=layer)
        labels = estimator.predict(X) if target is None else np.broadcast_to(np.asarray(target), len(maps))
        inner, X = _image_network(estimator, X)
        images = np.asarray(inner._check_X(X, reset=False), dtype=np.float32).transpose(0, 2, 3, 1)
        images = np.clip((images - inner._low) / (inner._high - inner._low), 0, 1)
        return cls(images, maps, labels)

    def plot(self, ax: Any = None, *, alpha: float = 0.5) -> Self:
        """Draw the images in a row, the heat over each.

        Parameters
        ----------
        ax : array-like of n matplotlib axes, default=None
            Axes to draw on; a new figure where None.
        alpha : float, default=0.5
            How strongly the heat covers the image.

        Returns
        -------
        self : GradCAMDisplay
        """
        plt = require("matplotlib.pyplot", extra="plot")
        if ax is None:
            _, ax = plt.subplots(1, len(self.maps), figsize=(2 * len(self.maps), 2.3), squeeze=False)
        self.axes_ = np.ravel(ax)
        self.figure_ = self.axes_[0].figure
        for axis, image, heat, label in zip(self.axes_, self.images, self.maps, self.labels, strict=True):
            axis.imshow(_drawable(image), cmap="gray", vmin=0, vmax=1)
            axis.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=alpha * heat)
            axis.set_title(str(label))
            axis.set_axis_off()
        return self

    def frame(self) -> pd.DataFrame:
        """The heat of every pixel as a DataFrame: image, row, column, heat."""
        image, row, column = np.indices(self.maps.shape).reshape(3, -1)
        return pd.DataFrame({"image": image, "row": row, "column": column, "heat": self.maps.ravel()})


def _drawable(image):
    if image.ndim == 2:
        return image
    return image[..., :3] if image.shape[-1] in (3, 4) else image.mean(-1)
