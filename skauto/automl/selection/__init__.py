"""From the trials of a search to the models that predict."""
