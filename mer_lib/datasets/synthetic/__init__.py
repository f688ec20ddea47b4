"""Synthetic micro-expression clips: drawn faces that move by action units, with the truth beside every frame."""
