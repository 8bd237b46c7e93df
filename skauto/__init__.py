"""AutoML for scikit-learn pipelines."""
