"""The plan of a simulated study: what is scanned, and what is true."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raphe.catalog import Quantity, all_species
from raphe.errors import PlanError, nearest
from raphe.simulate.plan_rules import check_rules

_EMBEDDED = files(__package__) / "plans"
