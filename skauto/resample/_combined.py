"""Over-sampling followed by cleaning."""

from functools import partial

import imblearn.combine as upstream
from sklearn.base import clone

from skauto.resample._cleaning import EditedNearestNeighbours, TomekLinks
from skauto.resample._costs import documented
from skauto.resample._sampler import RowSampler
from skauto.resample._smote import SMOTE

_shared = partial(
    documented,
    before="""sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of each class to the largest, also for more than two classes.
        A ratio well below 1 is many times faster on a large table.
    random_state : int, RandomState or None, default=None
        Seed.
    smote : SMOTE, default=None
        The over-sampler; None for one with the two parameters above.""",
    after="""n_jobs : int, default=None
        Threads of the search.

    Attributes
    ----------
    parents_ : ndarray of shape (m, 2)
        For each returned row the positions of the two rows that it lies between; its own position twice for an original
        row.
    steps_ : ndarray of shape (m,)
        Position between the two, from 0; 0 for an original row.""",
)


class Combined(RowSampler):
    """SMOTE and a cleaner, one after the other; a subclass defines the cleaner and the name of its parameter."""

    _cleaner: type[RowSampler]
    _cleaner_name: str

    def _resampled(self, X, y, notes):
        self._read(X, y, [])
        first, second = self._samplers()
        for sampler in (first, second):
            sampler._validate_params()
            X, y = sampler._resampled(X, y, notes)
        self.parents_ = first.parents_[second.sample_indices_]
        self.steps_ = first.steps_[second.sample_indices_]
        return X, y

    def _samplers(self):
        """Copies of the two samplers, kept under their names."""
        smote = SMOTE(sampling_strategy=self.sampling_strategy, random_state=self.random_state)
        cleaner = self._cleaner(sampling_strategy="all", n_jobs=self.n_jobs)
        self.smote_ = _ours(self.smote, smote)
        cleaner = _ours(getattr(self, self._cleaner_name), cleaner)
        setattr(self, f"{self._cleaner_name}_", cleaner)
        return self.smote_, cleaner


def _ours(given, default):
    """A copy of the sampler given, in our class where it is imbalanced-learn's; the default where none is."""
    if given is None:
        return default
    if isinstance(given, RowSampler):
        return clone(given)
    known = type(default)().get_params()
    params = given.get_params(deep=False).items()
    return type(default)(**{name: value for name, value in params if name in known})


@_shared
class SMOTEENN(Combined, upstream.SMOTEENN):
    """SMOTE, then edited nearest neighbours over all classes; takes any input.

    Parameters
    ----------
    {before}
    enn : EditedNearestNeighbours, default=None
        The cleaner; None for one over all classes.
    {after}
    smote_, enn_ : samplers
        The fitted ones.

    References
    ----------
    G. Batista, R. C. Prati, M. C. Monard, "A study of the behavior of several methods for balancing machine learning
    training data", SIGKDD Explorations 6(1), 2004, section 3.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skauto.resample import SMOTEENN
    >>> X, y = make_blobs([80, 20], centers=[[0, 0], [9, 9]], random_state=0)
    >>> SMOTEENN(random_state=0).fit_resample(X, y)[0].shape
    (160, 2)
    """

    _cleaner, _cleaner_name = EditedNearestNeighbours, "enn"


@_shared
class SMOTETomek(Combined, upstream.SMOTETomek):
    """SMOTE, then Tomek links over all classes; takes any input.

    Parameters
    ----------
    {before}
    tomek : TomekLinks, default=None
        The cleaner; None for one over all classes.
    {after}
    smote_, tomek_ : samplers
        The fitted ones.

    References
    ----------
    G. Batista, A. Bazzan, M. C. Monard, "Balancing training data for automated annotation of keywords", WOB 2003.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skauto.resample import SMOTETomek
    >>> X, y = make_blobs([80, 20], centers=[[0, 0], [9, 9]], random_state=0)
    >>> SMOTETomek(random_state=0).fit_resample(X, y)[0].shape
    (160, 2)
    """

    _cleaner, _cleaner_name = TomekLinks, "tomek"
