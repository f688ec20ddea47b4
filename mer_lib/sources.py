"""What a Python source says, whatever it looks like: the part of it that can change a result."""

from __future__ import annotations

import ast


def normalised(source: str) -> str:
    """Return Python `source` without comments, docstrings and formatting.

    >>> normalised("def f(x):\\n    'Doubles.'\\n    return 2 * x   # twice") == normalised("def f(x): return 2*x")
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
