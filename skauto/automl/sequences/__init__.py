"""What AutoClassifier tries on sequences."""
