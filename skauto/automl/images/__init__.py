"""What AutoClassifier tries on images."""
