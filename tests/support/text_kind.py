"""The kind "text": a text a row, by its words. skauto does not know it: a line makes it known."""

import numpy as np
from scipy.stats import loguniform
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from skauto.automl._candidate import Candidate
from skauto.automl._kind import Effort, Kind, Splits, within_bounds

# Texts a second that are counted and fitted on one thread.
TEXTS_A_SECOND = 5_000


def _recognises(X):
    rank, dtype = getattr(X, "ndim", 1), str(getattr(X, "dtype", "object"))
    if rank != 1 or not dtype.startswith(("object", "str", "string", "<U")) or not len(X):
        return False
    return all(isinstance(text, str) for text in list(X)[:100])


def _read(X):
    texts = np.asarray(list(X), dtype=object)
    wrong = [row for row, text in enumerate(texts) if not isinstance(text, str)]
    if wrong:
        raise ValueError(f"row {wrong[0]} of X is {texts[wrong[0]]!r:.40}, no text")
    return texts, None


def _one(shape):
    return 1


def _describe(X):
    return f"X is {len(X)} texts"


def _same_form(X, form):
    return _read(X)[0]


def words(values, profile):
    """Words and pairs of words, weighed by how rare they are."""
    return TfidfVectorizer(min_df=values.pop("min_df"), ngram_range=(1, values.pop("n_words")))


def logistic(values, profile, seed):
    """Logistic regression on sparse counts."""
    return LogisticRegression(**values, max_iter=300)


def naive_bayes(values, profile, seed):
    """Multinomial naive Bayes."""
    return MultinomialNB(**values)


WORDS, USUAL_WORDS = {"min_df": [1, 2, 3], "n_words": [1, 2]}, {"min_df": 1, "n_words": 1}
TEXTS = (
    Candidate(
        name="words_logistic", build=logistic, prepare=words, space={"C": loguniform(0.1, 100), **WORDS},
        defaults={"C": 10.0, **USUAL_WORDS}, initial=({}, {"n_words": 2}), ranks=(0, 2), imbalance=(("class_weight",),),
    ),
    Candidate(
        name="words_bayes", build=naive_bayes, prepare=words, space={"alpha": loguniform(1e-2, 2), **WORDS},
        defaults={"alpha": 0.3, **USUAL_WORDS}, initial=({},), ranks=(1,),
    ),
)  # fmt: skip


def _candidates():
    return TEXTS


def _fallback(profile):
    return Pipeline([("prepare", TfidfVectorizer()), ("classify", LogisticRegression())])


def fit_seconds(profile):
    """About what one fit takes."""
    return profile.n_rows / TEXTS_A_SECOND


def quick_sample(context, seconds):
    """Rows of the quick model."""
    return within_bounds(seconds * TEXTS_A_SECOND, len(context.y)), None


KIND = Kind(
    name="text",
    recognises=_recognises,
    read=_read,
    n_features=_one,
    describe=_describe,
    same_form=_same_form,
    candidates=_candidates,
    fallback=_fallback,
    splits=Splits(repeated=True),
    effort=Effort(fit_seconds, quick_sample, rows_per_trial=4, saves_epochs=False, checks_feasibility=False),
)
