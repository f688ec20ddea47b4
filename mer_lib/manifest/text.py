"""What every record of the manifest is made of: strict models and checked texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# A sub-dataset's name is the first part of a sample id, so it holds no slash and no blank.
PartName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A record that refuses unknown keys and is not changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
