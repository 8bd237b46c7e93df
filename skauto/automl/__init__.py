"""AutoClassifier: a room for each kind of data and for each stage of a fit."""
