"""Everything about class imbalance: samplers, costs, thresholds, priors."""
