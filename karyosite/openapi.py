"""What the OpenAPI description says of every operation alike: how to sign in, and the one error body."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.plumbing import build_bearer_security_scheme_object


class BearerScheme(KnoxTokenScheme):
    target_class = "karyosite.api.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer")


PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457). `detail` is a sentence for people, `code` a word for programs.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "The sentences on each field, where fields are at fault.",
            "additionalProperties": True,
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
STALE: dict[str, Any] = {
    "allOf": [
        {"$ref": "#/components/schemas/Problem"},
        {
            "type": "object",
            "description": "With code `stale-version`: the karyogram as it is now, to carry on from.",
            "properties": {
                "version": {"type": "integer"},
                "document": {"type": "object", "additionalProperties": True},
                "can_undo": {"type": "boolean"},
                "can_redo": {"type": "boolean"},
            },
        },
    ]
}
_MEANING = {
    "400": "What was sent cannot be read or used.",
    "401": "Not signed in, or the token or session has ended.",
    "403": "A colleague without the right, or a session's request without its CSRF token.",
    "404": "Unknown, or another laboratory's.",
    "409": "The record is not in a state that allows this, or has moved on meanwhile.",
    "413": "Larger than the site takes.",
    "415": "Not the kind of body that this address takes.",
    "422": "The sentence says what is wrong with the input.",
    "429": "Too many attempts; `Retry-After` says for how many seconds.",
}


def _codes(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    codes = ["400", "401", "403", "404"]
    if method != "get":
        codes += ["409", "422"]
    if "requestBody" in operation:
        codes += ["413", "415"]
    if path.endswith(("/sign/", "/tokens/")) and method == "post":
        codes.append("429")
    return codes


def _response(code: str, schema: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": _MEANING[code], "content": content}


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular post-processing: every operation names the problems that it may answer with."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    components["schemas"] = dict(sorted({**schemas, "Problem": PROBLEM, "StaleVersion": STALE}.items()))
    components["responses"] = {f"Problem{code}": _response(code, "Problem") for code in _MEANING}
    components["responses"]["Stale409"] = _response("409", "StaleVersion")
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            for code in _codes(path, method, operation):
                name = "Stale409" if code == "409" and "/karyogram/" in path else f"Problem{code}"
                operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{name}"})
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result
