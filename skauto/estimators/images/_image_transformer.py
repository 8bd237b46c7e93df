"""What transformers of images to tables have in common: layouts, checks, and a few images at a time."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skauto.estimators.images._images import as_images, image_layout
from skauto.estimators.images._pixel_range import pixel_range, warn_of_another_scale
from skauto.inputs._images import check_images


class ImageTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Columns of numbers from images of one size. A subclass has `_learn` and `_features`.

    Attributes
    ----------
    n_features_in_ : int
        Pixels times channels.
    """

    # Images that are worked on at a time, so that what is in between stays in memory.
    _rows_at_once = 512

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Store the shape of the images and the range of their pixels, and learn what the features need.

        Parameters
        ----------
        X : array of shape (n, height, width), (n, channels, height, width) or (n, height, width, channels)
        y : ignored

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For what are no images, and for missing or infinite pixels.
        """
        self._validate_params()
        X = check_images(X)
        self._layout, self._shape = image_layout(X)
        self.n_features_in_ = int(np.prod(self._shape))
        self._range = pixel_range(X)
        self._learn(as_images(X, self._layout, self._shape))
        self._n_features_out = self._of_some(X[:1]).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Features of each image.

        Parameters
        ----------
        X : as in `fit`, images of the same size

        Returns
        -------
        features : ndarray of float32, shape (n, n_features_out)

        Raises
        ------
        ValueError
            For images of another size or number of channels.
        """
        check_is_fitted(self, "_layout")
        X = check_images(X)
        if int(np.prod(X.shape[1:])) != self.n_features_in_ or image_layout(X) != (self._layout, self._shape):
            raise ValueError(
                f"X has {int(np.prod(X.shape[1:]))} features, shape {X.shape}, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: {self._shape} channels, height and width"
            )
        warn_of_another_scale(X, *getattr(self, "_range", pixel_range(X)))  # a transformer saved before has no range
        step = self._rows_at_once
        return np.concatenate([self._of_some(X[at : at + step]) for at in range(0, len(X), step)])

    def _of_some(self, X):
        """Features of a few images in the layout of X."""
        images = as_images(X, self._layout, self._shape).astype(np.float32)
        return self._features(images)

    def _learn(self, images: np.ndarray) -> None:
        """Learn from a view (n, channels, height, width) of the training images; many features need nothing."""

    def _features(self, images: np.ndarray) -> np.ndarray:
        """Features (n, n_features_out) of float32 images (n, channels, height, width)."""
        raise NotImplementedError


def grid_means(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Means over a grid of rows x columns cells along the last two axes.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators.images._image_transformer import grid_means
    >>> grid_means(np.arange(16.0).reshape(4, 4), 2, 2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    for axis, cells in ((-2, rows), (-1, columns)):
        size = images.shape[axis]
        starts = np.arange(cells) * size // cells
        shape = [1] * images.ndim
        shape[axis] = cells
        counts = np.diff(starts, append=size).reshape(shape).astype(np.float32)
        images = np.add.reduceat(images, starts, axis=axis) / counts
    return images
