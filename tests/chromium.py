"""The browser that tests drive: Debian's, found by name. Without one they are skipped, unless it is required."""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
#: What a module of such tests is marked with.
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("MER_BROWSER") != "required",
        reason="no chromium is installed: apt-get install chromium",
    ),
]
OPTIONS = {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}
