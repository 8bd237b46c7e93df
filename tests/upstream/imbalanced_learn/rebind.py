"""A pytest plugin: puts skauto's samplers in the place of imbalanced-learn's before its own tests are collected.

    pytest -p tests.upstream.imbalanced_learn.rebind --pyargs imblearn.over_sampling

Tests that demand an error where skauto deliberately accepts are skipped, each with its reason (see EXCEPTIONS).
"""

import imblearn.combine
import imblearn.over_sampling
import imblearn.under_sampling
import pytest

import skauto.resample

EXCEPTIONS = {
    "test_random_over_sampling_heterogeneous_data_smoothed_bootstrap": "demands an error; numbers are jittered and "
    "categories copied instead",
    "test_borderline_smote_no_in_danger_samples": "demands that nothing is done, silently; SMOTE with a warning instead",
    "test_svm_smote_all_noise": "demands an error; SMOTE with a warning instead",
    "test_sample_kmeans_not_enough_clusters": "demands an error; SMOTE with a warning instead",
}


def pytest_configure(config):
    """Rebind every name that both packages have."""
    for module in (imblearn.over_sampling, imblearn.under_sampling, imblearn.combine):
        for name in set(module.__all__) & set(skauto.resample.__all__):
            setattr(module, name, getattr(skauto.resample, name))


def pytest_collection_modifyitems(items):
    """Skip what cannot hold, saying why."""
    for item in items:
        reason = EXCEPTIONS.get(item.originalname if hasattr(item, "originalname") else item.name)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
