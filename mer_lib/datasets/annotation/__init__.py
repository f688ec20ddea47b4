"""Annotations: workbooks and lists that say who shows what in which frames."""
