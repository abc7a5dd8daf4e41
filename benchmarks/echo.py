# mypy: disable-error-code="misc, untyped-decorator"
"""The peer of the batch endpoints: FastAPI that validates the same body by its types, and sends it back."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel, Field

Side = Annotated[int, Field(ge=1)]

app = FastAPI()


class Image(BaseModel):
    """One item of getUrls."""

    ImageId: UUID
    ResizeMode: Literal["Cover", "CoverExact", "Fit", "FitExact"]
    Width: Side | None = None
    Height: Side | None = None


class Urls(BaseModel):
    """The body of getUrls."""

    ClientToken: str
    AccessToken: str
    Client: str
    Images: list[Image]


class Asked(BaseModel):
    """One item of imageurls."""

    imageId: str  # noqa: N815  the vendor's name
    width: Side | None = None
    height: Side | None = None


@app.post("/getUrls")
async def get_urls(body: Urls) -> Urls:
    """The body, validated."""
    return body


@app.post("/imageurls")
async def image_urls(body: list[Asked]) -> list[Asked]:
    """The body, validated."""
    return body
