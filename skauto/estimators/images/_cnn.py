"""A convolutional classifier for images."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skauto._deps import require
from skauto._sklearn import Interval, StrOptions, check_feature_names, check_has
from skauto.estimators.images._augment import AUTO, MixStyle, Mixup, augmented, check_augment
from skauto.estimators.images._backbones import BACKBONES, build_backbone
from skauto.estimators.images._images import as_images, image_layout, in_layout
from skauto.estimators.images._mirror import mirror_keeps_class
from skauto.estimators.images._pixel_range import pixel_range, warn_of_another_scale
from skauto.estimators.images._views import STRAIGHT, View, best_views, mean_over, sets_of_views
from skauto.estimators.neural._neural import NeuralClassifier, shares_training
from skauto.estimators.neural._precision import PRECISIONS
from skauto.inputs._images import check_images

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

LENET_SIDE = 14  # two filters of 5 x 5 and two poolings leave one pixel of it

# Numbers that are made doubles at a time.
PART = 1 << 20


@shares_training
class CNNClassifier(NeuralClassifier):
    """Convolutional network for images, trained by the common training loop of this package.

    X is (n, height, width), (n, channels, height, width), (n, height, width, channels) or a table whose rows are
    images; uint8 stays uint8 until a batch is made. Pixels are scaled by the mean and deviation of each channel.

    Parameters
    ----------
    backbone : {"plain", "pooled", "lenet5", "resnet", "mobilenetv2", "shufflenetv2"} or callable
        The network. "pooled" learns most within few seconds of a CPU. The last three have torchvision's state-dict
        keys, and strides for small images. A callable is called as ``backbone(channels, n_classes, width, depth)`` and
        gives a module from images to logits.
    width : int
        Channels of the first layer; later ones in proportion. 64 is the published ResNet, 32 MobileNetV2, 24
        ShuffleNetV2, 20 LeNet-5.
    depth : int
        Blocks a stage: convolutions ("plain", "pooled"), basic blocks ("resnet", four stages; 2 is ResNet-18), at most
        this many ("mobilenetv2"; 4 is as published), units ("shufflenetv2", twice as many in the middle; 4 is as
        published). LeNet-5 has one depth.
    augment : dict of str to float or None
        Strength of each augmentation, drawn anew for each batch: "flip" (probability), "shift" (fraction of the side),
        "rotation" (degrees), "perspective" (tilt), "noise" (standard deviation for pixels in [0, 1]), "cutout"
        (fraction of the side), "mixup" (alpha), "fog", "rain", "shadow", "mixstyle" (probabilities). None: none.
    weights : str, path or dict of str to tensor, default=None
        State dict to start from, or a file of one saved by torch; tensors whose name or shape does not match, for
        example the last layer of another task, are skipped. At least one must match.
    channels : {"auto", "first", "last"}
        Where the channels of a rank-4 X are; "auto" takes the first or last axis of an image, whichever is of size 1, 3
        or 4.
    image_shape : tuple of int or None
        (height, width) of images given as rows of a table, or three sides with the channels where `channels` says, as
        for a rank-4 X. None: a square, or one row of pixels where the number of features is no square. Images of rank 3
        and 4 must agree with it.
    [training parameters]
    precision : {"float32", "bfloat16", "auto"}
        Of the products in training; "bfloat16" halves the time where the processor has instructions for it, which
        "auto" asks. What is trained is float32 in any case.

    Attributes
    ----------
    [training attributes]
    augment_ : dict of str to float
        The strengths in use.
    views_ : tuple of View
        How images are looked at in predict, see `choose_views`; their probabilities are averaged.
    image_shape_ : tuple of int
        (channels, height, width) seen in fit.
    n_features_in_ : int
        Pixels times channels.

    References
    ----------
    He et al. 2016, "Deep residual learning", section 3; Sandler et al. 2018, "MobileNetV2", table 2; Ma et al. 2018,
    "ShuffleNet V2", section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators import CNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CNNClassifier(width=16, max_epochs=3, random_state=0).fit(X[:1500], y[:1500])
    >>> clf.score(X[1500:], y[1500:]) > 0.8
    True
    """

    _parameter_constraints = {
        **NeuralClassifier._parameter_constraints,
        "backbone": [StrOptions(set(BACKBONES)), callable],
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
        "augment": [Mapping, None],
        "weights": "no_validation",
        "channels": [StrOptions({"auto", "first", "last"})],
        "image_shape": [tuple, list, None],
        "precision": [StrOptions(set(PRECISIONS))],
    }

    # Of networks that were saved before there were these.
    precision: str = "float32"
    views_: tuple[View, ...] = STRAIGHT

    def __init__(
        self,
        *,
        backbone: str | Callable[..., Any] = "plain",
        width: int = 32,
        depth: int = 2,
        augment: Mapping[str, float] | None = None,
        weights: Any = None,
        channels: str = "auto",
        image_shape: tuple[int, ...] | list[int] | None = None,
        batch_size: int | str = "auto",
        max_epochs: int = 20,
        time_limit: float | None = None,
        lr: float = 0.003,
        optimizer: str = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.01,
        init: str = "he",
        lr_schedule: str = "one_cycle",
        clip_norm: float | None = None,
        clip_value: float | None = None,
        loss: str = "cross_entropy",
        label_smoothing: float = 0.0,
        class_weight: str | dict[Any, float] | None = None,
        early_stopping: bool | int = False,
        device: str = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        verbose: int = 0,
        precision: str = "float32",
    ) -> None:
        self.backbone = backbone
        self.width = width
        self.depth = depth
        self.augment = augment
        self.weights = weights
        self.channels = channels
        self.image_shape = image_shape
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.time_limit = time_limit
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.init = init
        self.lr_schedule = lr_schedule
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.precision = precision

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_X(self, X, *, reset):
        if reset or type(X) is not np.ndarray or hasattr(self, "feature_names_in_"):
            check_feature_names(self, X, reset=reset)
        X = check_images(X)
        layout, shape = image_layout(X, self.channels, self.image_shape) if reset else self._seen_layout(X)
        if reset:
            check_augment(self.augment)
            self._layout, self.image_shape_ = layout, tuple(int(side) for side in shape)
            self.n_features_in_ = int(np.prod(shape))
        return as_images(X, layout, shape)

    def _seen_layout(self, X):
        """The layout of fit, if X has it."""
        if self._layout.startswith("flat") and X.ndim == 2 and X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input"
            )
        expected = {
            "flat": (self.n_features_in_,),
            "flat_last": (self.n_features_in_,),
            "gray": self.image_shape_[1:],
            "first": self.image_shape_,
            "last": (*self.image_shape_[1:], self.image_shape_[0]),
        }[self._layout]
        if X.shape[1:] != expected:
            raise ValueError(
                f"X has shape {X.shape}, but {type(self).__name__} was fitted on (n, {', '.join(map(str, expected))}): "
                f"{self.image_shape_[0]} channels of {self.image_shape_[1]} x {self.image_shape_[2]} pixels"
            )
        return self._layout, self.image_shape_

    def _tensors(self, X, *, reset):
        with warnings.catch_warnings():
            # a read-only array (joblib's memory maps) makes a read-only tensor, which nothing here writes to
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            images = torch.from_numpy(np.ascontiguousarray(X) if min(X.strides) < 0 else X)
        if reset:
            self._learn_scale(images)
        else:
            warn_of_another_scale(images, self._low, self._high)
        return (images,)

    def _learn_scale(self, images):
        """Black and white of the images, and mean and deviation of each channel on that scale."""
        self._low, high = pixel_range(images)
        self._high = high if high > self._low else self._low + 1.0
        some = images[:: max(1, len(images) // 5000)]
        mean = _mean_of_channels(some, lambda x: (x - self._low) / (self._high - self._low))
        square = _mean_of_channels(
            some, lambda x: ((x - self._low) / (self._high - self._low) - mean.view(1, -1, 1, 1)).square()
        )
        spread = square.sqrt()
        self._mean = mean.tolist()
        self._spread = torch.where(spread > 1e-6, spread, 1.0).tolist()

    def _prepare(self, inputs, training):
        x = inputs[0].float().sub(self._low).mul_(1 / (self._high - self._low))
        if training:
            x = augmented(x, self._strengths())
        x = x.sub_(torch.tensor(self._mean, device=x.device).view(1, -1, 1, 1))
        x = x.div_(torch.tensor(self._spread, device=x.device).view(1, -1, 1, 1))
        mixup = getattr(self, "_mixup", None)
        return (x if mixup is None else mixup.inputs(x, training),)

    def _build(self, n_classes):
        if self.backbone == "lenet5" and min(self.image_shape_[1:]) < LENET_SIDE:
            sides = " x ".join(map(str, self.image_shape_[1:]))
            raise ValueError(
                f'backbone="lenet5" needs images of at least 14 x 14 pixels, got {sides}; "plain" takes any'
            )
        network = build_backbone(self.backbone, self.image_shape_[0], n_classes, self.width, self.depth)
        return network.to(memory_format=torch.channels_last)  # trains and predicts a tenth to a third faster on a CPU

    def _begin(self):
        super()._begin()
        self.views_ = STRAIGHT
        self.__dict__.pop("augment_", None)
        if self.weights is not None:
            load_weights(self.module_, self.weights)

    def _train(self, rows, validation, epochs):
        self.augment_ = self._found_strengths(rows)
        strengths, hook = self.augment_, None
        if strengths.get("mixstyle"):
            hook = self._style_layer().register_forward_hook(MixStyle(strengths["mixstyle"]))
        try:
            return super()._train(rows, validation, epochs)
        finally:
            self._mixup = None
            if hook is not None:
                hook.remove()

    def _strengths(self):
        """What images in training are changed by."""
        return getattr(self, "augment_", self.augment) or {}

    def _found_strengths(self, rows):
        """The strengths as numbers: one that is to be found is found on the rows of the first call."""
        strengths = dict(self.augment or {})
        if strengths.get("flip") == AUTO["flip"]:
            before = getattr(self, "augment_", {}).get("flip")
            if before is None:
                images = rows.inputs[0].cpu().numpy()
                before = 0.5 if mirror_keeps_class(images, rows.codes.numpy(), self._seed) else 0.0
            strengths["flip"] = before
        return strengths

    def _settings(self, n_rows, device, stopping):
        return replace(super()._settings(n_rows, device, stopping), precision=self.precision)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, the mean over `views_`.

        Parameters
        ----------
        X : array
            Images, of the shape of fit.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            Columns in the order of `classes_`; rows sum to 1.
        """
        if self.views_ == STRAIGHT:
            return super().predict_proba(X)
        check_has(self, "module_")
        images = self._check_X(X, reset=False)
        return mean_over(self.views_, lambda view: self._seen(images, view))

    def _seen(self, images, view):
        """Probabilities of images (n, channels, height, width) that are seen in one way."""
        return super().predict_proba(in_layout(view(images), self._layout))

    def choose_views(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose on held-back images whether predict also looks at them mirrored, or moved by a pixel.

        Only what training had them see is tried, and twice or three times the work must lower the log loss by 3 %.

        Parameters
        ----------
        X : array
            Images that were not trained on.
        y : array-like of shape (n,)
            Their labels, all among `classes_`.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : object
            With `views_`.
        """
        strengths = self._strengths()
        sets = sets_of_views(bool(strengths.get("flip")), bool(strengths.get("crop") or strengths.get("shift")))
        images = self._check_X(X, reset=False)
        asked = {view: self._seen(images, view) for view in {view for views in sets for view in views}}
        probabilities = {views: mean_over(views, asked.__getitem__) for views in sets}
        self.views_ = best_views(probabilities, np.searchsorted(self.classes_, y), sample_weight)
        return self

    def _criterion(self):
        criterion, alpha = super()._criterion(), self._strengths().get("mixup")
        if not alpha:
            return criterion
        self._mixup = Mixup(alpha, criterion)
        return self._mixup

    def _style_layer(self):
        name = getattr(type(self.module_), "style_layer", None)
        if name is None:
            raise ValueError(
                f"augment['mixstyle'] needs to know the first stage of {type(self.module_).__name__}: give the class "
                "an attribute style_layer, the name of that submodule"
            )
        return self.module_.get_submodule(name)


def _mean_of_channels(images, function):
    """Mean of a function of the numbers of each channel, in doubles, a part of the images at a time."""
    rows = max(1, PART // images[0].numel())
    total = sum(function(part.double()).sum(dim=(0, 2, 3)) for part in images.split(rows))
    return total * images.shape[1] / images.numel()


def load_weights(module: "Module", weights: Any) -> None:
    """Set the tensors of a module that a state dict names with the same shape; ValueError where none fits."""
    if not isinstance(weights, Mapping):
        weights = torch.load(weights, map_location="cpu", weights_only=True)
    own = module.state_dict()
    fitting = {
        name: torch.as_tensor(value)
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape
    }
    if not fitting:
        raise ValueError(
            f"weights has {len(weights)} tensors and none fits the network by name and shape; "
            f"the network's are {', '.join(list(own)[:4])}, ..."
        )
    module.load_state_dict(own | fitting)
