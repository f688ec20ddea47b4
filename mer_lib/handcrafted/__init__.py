"""Handcrafted descriptors: one file each, a scikit-learn transformer, before a support vector machine.

To add one, write its file with a `HandcraftedInfo` called `INFO`, and add the file's name to `FILES`.
"""

from __future__ import annotations

from importlib import import_module

from mer_lib.handcrafted.info import HandcraftedInfo

FILES = ("lbp_top", "lbp_sip", "bi_woof", "mdmo")
_BY_FILE = {file: import_module(f"{__name__}.{file}").INFO for file in FILES}
REGISTRY: dict[str, HandcraftedInfo] = {info.name: info for info in _BY_FILE.values()}
#: The file in which each descriptor is written, without its ending.
FILE_OF: dict[str, str] = {info.name: file for file, info in _BY_FILE.items()}

__all__ = ["FILES", "FILE_OF", "REGISTRY", "HandcraftedInfo"]
