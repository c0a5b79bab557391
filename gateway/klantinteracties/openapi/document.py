"""The OpenAPI document of the served API, made from the declarations that filter and the schemas that judge.

It holds all that the contract of API version 0.9.0 holds; where an answer can be blank or null and the contract
forgets it, this document says so.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow.fields import Field

from gateway.klantinteracties.model.declarations import Expansions, Filter, Form, Resource
from gateway.klantinteracties.model.expand import names
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND, MAAK_KLANTCONTACT, RESOURCES
from gateway.klantinteracties.openapi import parts
from gateway.klantinteracties.openapi.filter_texts import filter_text
from gateway.klantinteracties.openapi.parts import Json, answer, ref
from mappings.klantinteracties import schema_of
from mappings.klantinteracties.nested_fields import Many, Reference, ReferenceTo, Variants

TITLE = "klantinteracties"
ABOUT = """Klantbrug biedt de Klantinteracties API aan op gegevens uit een Zaken API en op wat er zelf in is geschreven.

PUT en PATCH: PUT vraagt alle verplichte velden; optionele velden die ontbreken, blijven zoals ze waren. PATCH
wijzigt alleen de velden die worden gegeven.

Volledigheid: een antwoord zegt in `Klantbrug-Coverage` of het volledig is, en in `Klantbrug-Freshness` hoe vers.
"""
# How a query parameter is written, by its form.
FORMS: dict[Form, Json] = {
    Form.TEXT: {"type": "string"},
    Form.CHOICE: {"type": "string"},
    Form.FLAG: {"type": "boolean"},
    Form.UUID: {"type": "string", "format": "uuid"},
    Form.URL: {"type": "string", "format": "uri"},
    Form.DATE: {"type": "string", "format": "date"},
    Form.MOMENT: {"type": "string", "format": "date-time"},
    Form.MOMENT_TEXT: {"type": "string", "format": "date-time"},
}


@cache
def document() -> Json:
    """The OpenAPI 3.0.3 document; made once a process."""
    components = Components()
    for resource in RESOURCES:
        _resource(components, resource)
    _maak_klantcontact(components)
    return components.spec.to_dict()


class Components:
    """The document, and the schemas in it: each is made when it is first referred to."""

    def __init__(self) -> None:
        plugin = MarshmallowPlugin()
        tags = [{"name": resource.path, "description": resource.description} for resource in RESOURCES]
        tags.append(
            {"name": MAAK_KLANTCONTACT, "description": "Klantcontact, betrokkene en onderwerpobject."}
        )
        self.spec = APISpec(
            title=TITLE,
            version=parts.API_VERSION,
            openapi_version="3.0.3",
            plugins=[plugin],
            info={
                "description": ABOUT,
                "license": {"name": "EUPL 1.2", "url": "https://opensource.org/licenses/EUPL-1.2"},
            },
            servers=[{"url": BASE_PATH}],
            security=[{"tokenAuth": []}],
            tags=tags,
        )
        # The specification has just given it to its plugin.
        self._converter: OpenAPIConverter = plugin.converter  # type: ignore[assignment]
        # The one place where apispec learns what our field classes look like.
        self._converter.add_attribute_function(lambda _, field, **__: parts.describe(field, self.of))
        self._made: set[str] = set()
        described = self.spec.components
        described.security_scheme(
            "tokenAuth",
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "Een token, met `Token` ervoor: `Authorization: Token <token>`.",
            },
        )
        for name, schema in parts.PROBLEM_SCHEMAS.items():
            described.schema(name, schema)
        for name, response in parts.PROBLEM_RESPONSES.items():
            described.response(name, response)
        for name, parameter in parts.PARAMETERS.items():
            described.parameter(name, parameter["in"], parameter)

    def of(self, schema: Schema) -> Json:
        """A reference to the component of a schema."""
        name = _name(schema)
        if name not in self._made:
            self._made.add(name)
            variants = _variants(schema)
            if variants is None:
                self._add(name, schema)
            else:
                self._add(f"{name}Basis", schema, without=variants.name)
                self._add_variants(name, variants)
        return ref(name)

    def _add(self, name: str, schema: Schema, *, without: str | None = None, partial: bool = False) -> None:
        made = type(schema)(exclude=(without,) if without else (), partial=partial or None)
        with warnings.catch_warnings():
            # One schema under two names is meant so: whole and partial.
            warnings.simplefilter("ignore", UserWarning)
            self.spec.components.schema(name, self._converter.schema2jsonschema(made))

    def _add_variants(self, name: str, variants: Variants) -> None:
        """A schema of which one group depends on the value of another field."""
        mapping = {}
        for value, inner in variants.schemas.items():
            group = {"allOf": [self.of(inner())], "nullable": True, **variants.metadata}
            switch = {"type": "string", "enum": [value]}
            own = {
                "type": "object",
                "properties": {variants.switch: switch, variants.name: group},
                "required": [variants.switch],
            }
            self.spec.components.schema(f"{name}{inner.__name__}", {"allOf": [ref(f"{name}Basis"), own]})
            mapping[value] = ref(f"{name}{inner.__name__}")["$ref"]
        choice = {"propertyName": variants.switch, "mapping": mapping}
        one_of = [{"$ref": target} for target in mapping.values()]
        self.spec.components.schema(name, {"oneOf": one_of, "discriminator": choice})

    def partial(self, schema: Schema) -> Json:
        """What a PATCH takes: the same fields, none required."""
        name = _name(schema)
        variants = _variants(schema)
        patched = f"Patched{name}"
        if variants is None:
            self._add(patched, schema, partial=True)
            return ref(patched)
        self._add(f"{patched}Basis", schema, without=variants.name, partial=True)
        groups = [self.of(inner()) for inner in variants.schemas.values()]
        group = {"anyOf": groups, "nullable": True, **variants.metadata}
        part = {"allOf": [ref(f"{patched}Basis"), {"type": "object", "properties": {variants.name: group}}]}
        # The contract only knows a whole object here; the recorded server takes a part too (109, 192).
        self.spec.components.schema(patched, {"anyOf": [ref(name), part]})
        return ref(patched)

    def expanding(self, resource: Resource, expansions: Expansions) -> Json:
        """A resource with `_expand`: what `expand` asked for, each again with its own."""
        shown = self.of(schema_of(resource.kind))
        if not expansions:
            return shown
        fields = schema_of(resource.kind).fields
        inner = {name: self._expanded(fields[name], further) for name, further in expansions.items()}
        about = "De gerelateerde objecten waar `expand` om vroeg."
        expand = {"type": "object", "description": about, "properties": inner}
        return {"allOf": [shown, {"type": "object", "properties": {"_expand": expand}}]}

    def _expanded(self, field: Field[Any], further: Expansions) -> Json:
        one = self.expanding(BY_KIND[_target(field)], further)
        form: Json = {"type": "array", "items": one} if isinstance(field, Many) else {"allOf": [one]}
        if field.allow_none:
            form["nullable"] = True
        if field.dump_only:
            form["readOnly"] = True
        return form


def _resource(components: Components, resource: Resource) -> None:
    """The two paths of a resource."""
    schema = schema_of(resource.kind)
    one = components.of(schema)
    name = _name(schema)
    shown = components.expanding(resource, resource.expansions)
    if resource.expansions:
        components.spec.components.schema(f"Expand{name}", shown)
        shown = ref(f"Expand{name}")
    components.spec.components.schema(f"Paginated{name}List", parts.page_of(shown))
    expand = _expand(resource)
    required = any(field.required for field in schema.load_fields.values())
    whole = _body(one, required=required, examples=parts.EXAMPLES.get(resource.kind))
    changed = {"responses": {"200": answer("Gewijzigd.", one, version=True), **parts.CHANGE_PROBLEMS}}
    made = answer("Gemaakt.", one, location=True, version=True, links=_links(resource))
    page = answer("Een pagina van de lijst.", ref(f"Paginated{name}List"))
    components.spec.path(
        f"/{resource.path}",
        operations={
            "get": {
                **_about(resource, "List", "lijst"),
                "parameters": [*_filters(resource), *expand, "page", "pageSize"],
                "responses": {"200": page, **parts.READ_PROBLEMS},
            },
            "post": {
                **_about(resource, "Create", "maken"),
                **whole,
                "responses": {"201": made, **parts.CREATE_PROBLEMS},
            },
        },
    )
    components.spec.path(
        f"/{resource.path}/{{uuid}}",
        parameters=["uuid"],  # type: ignore[list-item]  # a name is a reference, as apispec says itself
        operations={
            "get": {
                **_about(resource, "Retrieve", "opvragen"),
                "parameters": expand,
                "responses": {
                    "200": answer("Het object.", shown, version=True),
                    "304": parts.nothing("De client heeft deze versie al (If-None-Match)."),
                    **parts.DETAIL_PROBLEMS,
                },
            },
            "put": {**_about(resource, "Update", "in zijn geheel bijwerken"), **whole, **changed},
            "patch": {
                **_about(resource, "PartialUpdate", "deels bijwerken"),
                **_body(components.partial(schema), required=False),
                **changed,
            },
            "delete": {**_about(resource, "Destroy", "verwijderen"), **_deletion(resource)},
        },
    )


def _maak_klantcontact(components: Components) -> None:
    one = components.of(schema_of(MAAK_KLANTCONTACT))
    components.spec.path(
        f"/{MAAK_KLANTCONTACT}",
        operations={
            "post": {
                "operationId": _operation_id(MAAK_KLANTCONTACT, "Create"),
                "summary": "Klantcontact, betrokkene en onderwerpobject ineens maken",
                "description": "Is een van de drie niet goed, dan komt er geen van de drie.",
                "tags": [MAAK_KLANTCONTACT],
                **_body(one, required=True),
                "responses": {"201": answer("Gemaakt.", one), **parts.CREATE_PROBLEMS},
            }
        },
    )


def _about(resource: Resource, operation: str, what: str) -> Json:
    return {
        "operationId": _operation_id(resource.path, operation),
        "summary": f"{resource.path}: {what}",
        "tags": [resource.path],
    }


def _operation_id(path: str, operation: str) -> str:
    first, *others = path.split("-")
    return first + "".join(word.capitalize() for word in others) + operation


def _body(schema: Json, *, required: bool, examples: Json | None = None) -> Json:
    content = {"schema": schema} | ({"examples": examples} if examples else {})
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def _filters(resource: Resource) -> list[Json]:
    return [_filter(item) for item in sorted(resource.filters, key=lambda item: item.name)]


def _filter(item: Filter) -> Json:
    schema = dict(FORMS[item.form])
    if item.choices:
        schema["enum"] = list(item.choices)
    return {"in": "query", "name": item.name, "schema": schema, "description": filter_text(item)}


def _expand(resource: Resource) -> list[Json]:
    if not resource.expansions:
        return []
    choices = {"type": "string", "enum": list(names(resource.expansions))}
    return [
        {
            "in": "query",
            "name": "expand",
            "schema": {"type": "array", "items": choices},
            "style": "form",
            "explode": False,
            "description": "Gerelateerde objecten die in `_expand` moeten staan, gescheiden door komma's.",
        }
    ]


def _deletion(resource: Resource) -> Json:
    answers = {"204": parts.nothing("Verwijderd."), **parts.COMMON, **parts.problems("404", "412")}
    if resource.kind != "onderwerpobject":
        return {"responses": answers}
    cascaded = answer("Verwijderd, met wat er alleen voor dit onderwerpobject was.", parts.KEPT)
    return {"parameters": [parts.CASCADE], "responses": {"200": cascaded, **answers}}


def _links(resource: Resource) -> Json:
    """What can be done with what was just made: itself, and what may refer to it."""
    uuid = "$response.body#/uuid"
    links = {
        operation: {
            "operationId": _operation_id(resource.path, operation),
            "parameters": {"uuid": uuid},
        }
        for operation in ("Retrieve", "Update", "PartialUpdate", "Destroy")
    }
    for other in RESOURCES:
        for name, field in schema_of(other.kind).load_fields.items():
            if isinstance(field, Reference) and field.required and field.to == resource.kind:
                links[f"{_operation_id(other.path, 'Create')}_{name}"] = {
                    "operationId": _operation_id(other.path, "Create"),
                    "requestBody": {name: {"uuid": uuid}},
                }
    return links


def _name(schema: Schema) -> str:
    return "Verwijzing" if type(schema) is ReferenceTo else type(schema).__name__


def _variants(schema: Schema) -> Variants | None:
    return next((field for field in schema.fields.values() if isinstance(field, Variants)), None)


def _target(field: Field[Any]) -> str:
    """The kind that a reference, or a list of references, leads to."""
    inner = field.item if isinstance(field, Many) else field
    if not isinstance(inner, Reference):
        raise TypeError(f"{field.name} refers to nothing")
    return inner.to
