"""Running experiments without a person in front of them: folds, then notebooks, then the report."""
