"""Evaluation: splits by subject, an audited cross-validation whose predictions are stored, and views of them.

Scores, intervals and tests (:mod:`mer_lib.evaluation.metrics`, :mod:`mer_lib.evaluation.statistics`) are
functions of stored predictions alone, so anyone can compute them again at any time without training anything.
"""
