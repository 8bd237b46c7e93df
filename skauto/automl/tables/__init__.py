"""What AutoClassifier tries on tables."""
