"""mer_lib: study, teach and re-run micro-expression recognition."""

__version__ = "0.1.0"
