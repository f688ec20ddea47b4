"""Estimators with scikit-learn's contract: torch networks and the plain methods that stand beside them."""
