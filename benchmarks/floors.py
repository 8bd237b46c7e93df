"""The floors a search has to beat: default boosting, with a tuned threshold, and a fixed list without any search."""

import warnings

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, make_scorer
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

OTHER = "(other)"


class NativeEncoder(TransformerMixin, BaseEstimator):
    """Strings to categories (rare ones beyond max_levels share one level), dates and bools to numbers.

    Columns without any value are left out: histogram boosting cannot bin them.
    """

    def __init__(self, max_levels=None):
        self.max_levels = max_levels

    def fit(self, X, y=None):
        self.columns_ = [name for name in X.columns if X[name].notna().any()]
        self.levels_ = {}
        for name in self.columns_:
            if not (pd.api.types.is_numeric_dtype(X[name]) or pd.api.types.is_datetime64_any_dtype(X[name])):
                levels = X[name].astype("object").value_counts().index.astype(str)
                if self.max_levels is not None and len(levels) > self.max_levels:
                    levels = levels[: self.max_levels - 1].append(pd.Index([OTHER]))
                self.levels_[name] = levels
        return self

    def transform(self, X):
        return pd.DataFrame({f"f{i}": self._column(X[name]) for i, name in enumerate(self.columns_)}, index=X.index)

    def _column(self, column):
        if column.name not in self.levels_:
            dates = pd.api.types.is_datetime64_any_dtype(column)
            return column.astype("int64").where(column.notna()) if dates else column.astype(float)
        levels = self.levels_[column.name]
        values = column.astype("object").where(column.notna(), None).map(str, na_action="ignore")
        if OTHER in levels:
            values = values.where(values.isna() | values.isin(levels), OTHER)
        return pd.Series(pd.Categorical(values, categories=levels), index=column.index)


def lightgbm(binary):
    """LightGBM as it comes, with native categories (n_jobs=0: as many threads as OpenMP says)."""
    return make_pipeline(NativeEncoder(), LGBMClassifier(n_jobs=0, verbose=-1, random_state=0))


def histgb(binary):
    """scikit-learn's histogram boosting as it comes, with native categories (at most 255 levels)."""
    return make_pipeline(NativeEncoder(max_levels=255), HistGradientBoostingClassifier(random_state=0))


def tuned(model):
    """The model with scikit-learn's tuned threshold for F1 of class 1."""
    return TunedThresholdClassifierCV(model, scoring=make_scorer(f1_score, pos_label=1), random_state=0)


def lightgbm_tuned(binary):
    """Default LightGBM with a tuned threshold where there are two classes."""
    return tuned(lightgbm(binary)) if binary else lightgbm(binary)


def histgb_tuned(binary):
    """Default histogram boosting with a tuned threshold where there are two classes."""
    return tuned(histgb(binary)) if binary else histgb(binary)


def fixed_list(binary):
    """A fixed list of models, blended, with a tuned threshold: what no search at all gives."""
    return FixedList()


class FixedList(ClassifierMixin, BaseEstimator):
    """Seven models, out-of-fold predictions, greedy selection by average precision, one tuned threshold."""

    def __init__(self, n_folds=5, n_rounds=50, svm_below=5_000):
        self.n_folds = n_folds
        self.n_rounds = n_rounds
        self.svm_below = svm_below

    def fit(self, X, y):
        y = np.asarray(y)
        self.classes_ = np.unique(y)
        models = fixed_models(with_svm=len(y) < self.svm_below)
        out_of_fold = {name: self._out_of_fold(model, X, y) for name, model in models.items()}
        self.weights_ = greedy_selection(out_of_fold, y, self.classes_, self.n_rounds)
        self.members_ = {name: clone(models[name]).fit(X, y) for name in self.weights_}
        self.threshold_ = None
        if len(self.classes_) == 2:
            blend = sum(weight * out_of_fold[name] for name, weight in self.weights_.items())
            self.threshold_ = best_threshold(y == self.classes_[1], blend[:, 1])
        return self

    def predict_proba(self, X):
        parts = [w * align(self.members_[name], X, self.classes_) for name, w in self.weights_.items()]
        return sum(parts)

    def predict(self, X):
        probability = self.predict_proba(X)
        if self.threshold_ is None:
            return self.classes_[probability.argmax(axis=1)]
        return self.classes_[(probability[:, 1] >= self.threshold_).astype(int)]

    def _out_of_fold(self, model, X, y):
        probability = np.zeros((len(y), len(self.classes_)))
        folds = StratifiedKFold(self.n_folds, shuffle=True, random_state=0)
        for train, test in folds.split(X, y):
            fitted = clone(model).fit(X.iloc[train], y[train])
            probability[test] = align(fitted, X.iloc[test], self.classes_)
        return probability


def fixed_models(with_svm):
    """Name to model: three settings of LightGBM, two forests, logistic regression, RBF SVM on small data."""
    slow = {"learning_rate": 0.05, "n_estimators": 300, "subsample_freq": 1, "subsample": 0.8, "colsample_bytree": 0.8}
    small = {"num_leaves": 7, "min_child_samples": 10, "n_estimators": 200, "learning_rate": 0.05}
    models = {
        "lightgbm": lightgbm(True),
        "lightgbm_slow": make_pipeline(NativeEncoder(), LGBMClassifier(n_jobs=0, verbose=-1, random_state=0, **slow)),
        "lightgbm_small": make_pipeline(NativeEncoder(), LGBMClassifier(n_jobs=0, verbose=-1, random_state=0, **small)),
        "extra_trees": make_pipeline(ordinal(), ExtraTreesClassifier(300, random_state=0)),
        "random_forest": make_pipeline(ordinal(), RandomForestClassifier(300, random_state=0)),
        "logistic": make_pipeline(one_hot(), LogisticRegression(max_iter=1_000)),
    }
    if with_svm:
        models["svm"] = make_pipeline(one_hot(), SVC(probability=True, random_state=0))
    return models


def ordinal():
    """Categories to integers, the rest as it is (forests take missing values)."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return make_pipeline(
        NativeEncoder(),
        ColumnTransformer([("codes", codes, make_column_selector(dtype_include="category"))], remainder="passthrough"),
    )


def one_hot():
    """Imputed and scaled numbers, one-hot categories with the rare ones pooled."""
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False)
    choose = make_column_selector
    return make_pipeline(
        NativeEncoder(),
        ColumnTransformer(
            [("n", numbers, choose(dtype_exclude="category")), ("c", levels, choose(dtype_include="category"))]
        ),
    )


def align(model, X, classes):
    """predict_proba with one column a class, zero for classes the model never saw."""
    probability = np.zeros((len(X), len(classes)))
    probability[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X)
    return probability


def macro_average_precision(y, probability, classes):
    """Average precision of the second of two classes, or the mean over one-vs-rest."""
    if len(classes) == 2:
        return average_precision_score(y == classes[1], probability[:, 1])
    return np.mean([average_precision_score(y == c, probability[:, i]) for i, c in enumerate(classes)])


def greedy_selection(out_of_fold, y, classes, n_rounds):
    """Caruana et al. 2004: add, with repetition, whichever model helps the blend most. Name to weight."""
    chosen, total, path = [], 0.0, []
    for size in range(1, n_rounds + 1):
        scores = {
            name: macro_average_precision(y, (total + probability) / size, classes)
            for name, probability in out_of_fold.items()
        }
        best = max(scores, key=scores.get)
        chosen.append(best)
        path.append(scores[best])
        total = total + out_of_fold[best]
    kept = chosen[: int(np.argmax(path)) + 1]
    return {name: kept.count(name) / len(kept) for name in dict.fromkeys(kept)}


def best_threshold(is_positive, score):
    """The threshold with the greatest F1, halfway to the next lower score."""
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(is_positive[order])
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    f1 = 2 * hits[ends] / (ends + 1 + is_positive.sum())
    end = ends[np.argmax(f1)]
    return ranked[end] if end + 1 == len(ranked) else (ranked[end] + ranked[end + 1]) / 2


FLOORS = {f.__name__: f for f in (lightgbm, lightgbm_tuned, histgb, histgb_tuned, fixed_list)}


def fit_floor(name, X, y, positive):
    """Fit one floor; return predict and predict_proba in the table's own labels, and the classes."""
    classes = np.unique(y)
    binary = positive is not None
    if binary:
        classes = np.array([c for c in classes if c != positive] + [positive], dtype=classes.dtype)
    codes = pd.Index(classes).get_indexer(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = FLOORS[name](binary).fit(X, codes)

    def predict(X):
        return classes[model.predict(X)]

    def predict_proba(X):
        return align(model, X, np.arange(len(classes)))

    return predict, predict_proba, classes
