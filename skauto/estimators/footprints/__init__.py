"""What a fitted estimator costs."""
