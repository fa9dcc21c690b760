"""What the OpenAPI page cannot see by itself: bodies that are read as bytes, and the bearer key."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REF = "#/components/schemas/{model}"


def body(
    *models: type[BaseModel], media_type: str = "application/json", many: bool = False
) -> dict[str, Any]:
    """`openapi_extra` for a route that takes one of the models."""
    refs = [{"$ref": REF.format(model=m.__name__)} for m in models]
    schema: dict[str, Any] = refs[0] if len(refs) == 1 else {"anyOf": refs}
    if many:
        schema = {"type": "array", "items": schema}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def one_or_many(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` for a route that takes one of the model, or an array of it."""
    ref = {"$ref": REF.format(model=model.__name__)}
    schema = {"anyOf": [ref, {"type": "array", "items": ref}]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI, models: Sequence[type[BaseModel]]) -> None:
    """Adds the schemas of the models to the page."""
    original = app.openapi

    def with_schemas() -> dict[str, Any]:
        page = original()
        components = page.setdefault("components", {})
        _, schemas = models_json_schema([(m, "validation") for m in models], ref_template=REF)
        components.setdefault("schemas", {}).update(schemas.get("$defs", {}))
        return page

    app.openapi = with_schemas  # type: ignore[method-assign]
