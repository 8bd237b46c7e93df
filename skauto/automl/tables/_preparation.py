"""What comes before the classifiers of tables: encoders, scalers, imputers."""

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator, Values
from skauto.estimators.tables._category_codes import category_codes
from skauto.estimators.tables._crossed_features import CrossedFeatures
from skauto.estimators.tables._magnitude import LARGEST_SCALED, bounded
from skauto.estimators.tables._many_levels import ManyLevelsEncoder
from skauto.estimators.tables._plain_names import (
    plain_names,
    plain_names_out,
    same_names_out,
)
from skauto.estimators.tables._table_cleaner import (
    category_columns,
    numeric_columns,
)

# What boosting sees beside the columns: nothing, or arithmetic, group statistics and target means.
PLAIN_FEATURES, CROSSED = "plain", "crossed"

# Most columns whose numbers become ranks: that is done column by column, at each predict.
MOST_RANKED = 2_000

# One-hot columns at most for one categorical column, and quantiles of a rank transform.
MAX_LEVELS, MAX_QUANTILES = 40, 200


def native(values: Values, profile: DataProfile) -> Estimator:
    """Boosting takes cleaned tables as they are, missing values included, but categories of not too many levels."""
    return ManyLevelsEncoder()


def named(values: Values, profile: DataProfile) -> Estimator:
    """LightGBM takes cleaned tables too, but not every character in the names of columns."""
    crossed = values.pop("features") == CROSSED
    if profile.sparse:
        return None
    names = FunctionTransformer(plain_names, feature_names_out=plain_names_out)
    return make_pipeline(CrossedFeatures(), names) if crossed else names


def as_it_is(values: Values, profile: DataProfile) -> Estimator:
    """CatBoost takes cleaned tables, missing values and all levels included."""
    return None


def codes(values: Values, profile: DataProfile) -> Estimator:
    """Forests take numbers and missing values; categories become integer codes, of many levels target means."""
    if profile.sparse:
        return SimpleImputer()
    coded = ColumnTransformer(
        [("category", _codes(), category_columns)], remainder="passthrough"
    )
    return make_pipeline(ManyLevelsEncoder(), coded)


def scaled(values: Values, profile: DataProfile) -> Estimator:
    """Distances and linear models take imputed, scaled numbers and encoded categories."""
    scaler, encode = values.pop("scaler"), values.pop("encode")
    splines = values.pop("splines", None)
    if profile.sparse:
        return make_pipeline(SimpleImputer(), MaxAbsScaler(), _bounds())
    numbers = [
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    ]
    plain = scaler == "standard" or profile.n_columns > MOST_RANKED
    numbers += [StandardScaler(), _bounds()] if plain else [_ranks(profile)]
    if splines:
        numbers += [
            SplineTransformer(n_knots=splines, knots="uniform", extrapolation="linear"),
            StandardScaler(),
        ]
    columns = [
        ("number", make_pipeline(*numbers), numeric_columns),
        ("category", _encoder(encode), category_columns),
    ]
    return make_pipeline(
        ManyLevelsEncoder(), ColumnTransformer(columns, sparse_threshold=0)
    )


def _bounds() -> Estimator:
    """Of later rows: a number far outside of a column that hardly varied at fit must not overflow."""
    return FunctionTransformer(
        bounded, kw_args={"bound": LARGEST_SCALED}, feature_names_out=same_names_out
    )


def _ranks(profile: DataProfile) -> Estimator:
    quantiles = max(min(MAX_QUANTILES, profile.n_rows // 2), 2)
    return QuantileTransformer(
        n_quantiles=quantiles,
        output_distribution="normal",
        subsample=20_000,
        random_state=0,
    )


def _encoder(encode: str) -> Estimator:
    if encode == "onehot":
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=3,
            max_categories=MAX_LEVELS,
            sparse_output=False,
        )
        return make_pipeline(_codes(), encoder)
    return make_pipeline(
        _codes(),
        TargetEncoder(cv=KFold(5, shuffle=True, random_state=0)),
        StandardScaler(),
    )


def _codes() -> Estimator:
    return FunctionTransformer(category_codes, feature_names_out=same_names_out)
