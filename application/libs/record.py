"""Give rules a typed, frozen value to return."""

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True):
    """Hold one row of an answer; the Redprint encodes it without a copy."""
