"""Grad-CAM: where in an image a network saw its class (Selvaraju 2017)."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto.estimators._footprint import last_step, unwrapped

torch = require("torch", extra="deep")

BATCH = 256


def grad_cam(estimator, X, target=None, *, layer=None):
    """Heat maps of what spoke for a class.

    Parameters
    ----------
    estimator : CNNClassifier, or what wraps one: a CompressedClassifier, a threshold, a Pipeline that ends in one
        Fitted. An int8 network has no gradients and is refused.
    X : array
        Images, as `predict` takes them.
    target : label or array-like of shape (n,), default=None
        The class to explain, one for all or one for each image. None: the predicted class.
    layer : str, default=None
        Name of the convolution to look at, as in ``module_.named_modules()``. None: the last one whose map is larger
        than one pixel, which could not say where; if there is none, the last one.

    Returns
    -------
    maps : ndarray of float32, shape (n, height, width)
        In [0, 1]; the hottest pixel of an image is 1, all are 0 where nothing spoke for the class.

    Raises
    ------
    ValueError
        If a target is no class, there are more or fewer than images, or there is no such layer.
    TypeError
        If the estimator is no image network.

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
    estimator, X = last_step(estimator, X)
    check_is_fitted(estimator)
    outer = estimator
    *_, estimator = unwrapped(outer)
    if not hasattr(estimator, "image_shape_"):
        raise TypeError(f"grad_cam needs a CNNClassifier, got {type(estimator).__name__}")
    images = estimator._tensors(estimator._check_X(X, reset=False), reset=False)[0]
    if target is None and outer is not estimator:  # a threshold may predict another class than the network
        target = outer.predict(X)
    codes = _codes(estimator, target, len(images))
    module = estimator.module_.cpu()
    watched = _convolution(module, layer, estimator._prepare((images[:1],), False)[0])
    batches = []
    for start in range(0, len(images), BATCH):
        x = estimator._prepare((images[start : start + BATCH],), False)[0]
        wanted = None if codes is None else codes[start : start + BATCH]
        batches.append(_maps(module, watched, x, wanted))
    return torch.cat(batches).numpy()


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


def _convolution(module, name, x):
    found = {n: m for n, m in module.named_modules() if _weight_rank(m) == 4 and "Int8" not in type(m).__name__}
    if not found:
        raise TypeError("grad_cam needs a network with a float convolution; an int8 network has no gradients")
    if name is not None and name not in found:
        raise ValueError(f"layer={name!r} is no convolution of the network; there are {', '.join(found)}")
    return found[_last_with_room(module, found, x) if name is None else name]


def _last_with_room(module, convolutions, x):
    """Name of the last convolution to run whose map of x is larger than one pixel; the last of all if none is."""
    areas, hooks = {}, []
    for name, layer in convolutions.items():
        hooks.append(
            layer.register_forward_hook(lambda m, args, out, name=name: areas.update({name: out[0, 0].numel()}))
        )
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    return next((name for name in reversed(areas) if areas[name] > 1), list(convolutions)[-1])


def _weight_rank(module):
    weight = getattr(module, "weight", None)
    return weight.dim() if isinstance(weight, torch.Tensor) else 0


def _maps(module, watched, x, codes):
    """Activations of the layer, weighted by the mean gradient of the class's logit, positive part, 0 to 1."""
    seen = []
    hook = watched.register_forward_hook(lambda m, args, out: seen.append(out))
    try:
        with torch.enable_grad():
            logits = module(x.requires_grad_())
            if not logits.requires_grad:
                raise TypeError("grad_cam needs gradients, and behind an int8 layer there are none")
            codes = logits.argmax(1) if codes is None else codes
            (grad,) = torch.autograd.grad(logits.gather(1, codes[:, None]).sum(), seen[0])
    finally:
        hook.remove()
    heat = (seen[0].detach() * grad.mean((2, 3), keepdim=True)).sum(1, keepdim=True).relu()
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

    def __init__(self, images, maps, labels):
        self.images = images
        self.maps = maps
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, X, target=None, *, layer=None):
        """Compute the maps; parameters as of `grad_cam`. A Pipeline shows what its last step sees."""
        maps = grad_cam(estimator, X, target, layer=layer)
        labels = estimator.predict(X) if target is None else np.broadcast_to(np.asarray(target), len(maps))
        estimator, X = last_step(estimator, X)
        *_, inner = unwrapped(estimator)
        images = np.asarray(inner._check_X(X, reset=False), dtype=np.float32).transpose(0, 2, 3, 1)
        images = np.clip((images - inner._low) / (inner._high - inner._low), 0, 1)
        return cls(images, maps, labels)

    def plot(self, ax=None, *, alpha=0.5):
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

    def frame(self):
        """The heat of every pixel as a DataFrame: image, row, column, heat."""
        image, row, column = np.indices(self.maps.shape).reshape(3, -1)
        return pd.DataFrame({"image": image, "row": row, "column": column, "heat": self.maps.ravel()})


def _drawable(image):
    if image.ndim == 2:
        return image
    return image[..., :3] if image.shape[-1] in (3, 4) else image.mean(-1)
