"""Estimators for tables, images and sequences, and their ensembles."""
