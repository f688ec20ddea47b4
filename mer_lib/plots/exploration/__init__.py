"""A data set looked at before anything is trained on it: each figure once for the screen and once for print.

``interactive`` draws with plotly, ``printed`` with matplotlib: the same names, arguments, numbers and captions.
"""
