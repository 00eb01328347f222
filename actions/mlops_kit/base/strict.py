"""What is read from files: nothing unknown in it, and nothing changed afterwards."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """The text under a field describes it in the published schema, and is read by docs/generate.py alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)
