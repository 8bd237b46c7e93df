"""Search over any scikit-learn Pipeline."""
