"""What every API view shares: reading input, showing resources, and the answer to unknown addresses."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from karyosite.accounts.models import User
from karyosite.api import KeysetPagination, research_use_only
from karyosite.errors import NotFound
from karyosite.openapi import BearerScheme as BearerScheme  # drf-spectacular knows it once it is imported


def person(request: Request) -> User:
    """The signed-in user, typed.  Only in views that demand one."""
    assert isinstance(request.user, User)
    return request.user


class ResourceSerializer(serializers.Serializer[Any]):
    """A resource as the API shows it.  Each says whether the laboratory's results are for research use only."""

    research_use_only = serializers.SerializerMethodField(help_text="True until the laboratory's validation ends it.")

    def get_research_use_only(self, instance: Any) -> bool:
        return bool(self.context["research_use_only"])


class InputSerializer(serializers.Serializer[Any]):
    """A body or a query sent by a client.  A misspelt name is refused, not passed over in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["This is not a field here."] for name in unknown})
        return super().to_internal_value(data)


class View(APIView):
    """One address of the API.  Subclasses stay thin: read the input, call one action or selector, show the result."""

    pagination_class: type[KeysetPagination] = KeysetPagination

    @property
    def paginator(self) -> KeysetPagination:
        # drf-spectacular looks here for the shape of a list.
        if not hasattr(self, "_paginator"):
            self._paginator = self.pagination_class()
        return self._paginator

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Answers hold patients' names: no browser or proxy keeps a copy, but of pictures that say otherwise."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def read(self, serializer: type[InputSerializer], request: Request, **kwargs: Any) -> dict[str, Any]:
        """The checked body; ValidationError (400) otherwise."""
        given = serializer(data=request.data, **kwargs)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def query(self, serializer: type[InputSerializer], request: Request) -> dict[str, Any]:
        """The checked query string; names that belong to the page mark are left to the paginator."""
        known = serializer().fields
        given = serializer(data={name: value for name, value in request.query_params.items() if name in known})
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def context(self, request: Request) -> dict[str, Any]:
        return {"request": request, "view": self, "research_use_only": research_use_only(request.user)}

    def show(self, serializer: type[ResourceSerializer], instance: Any, request: Request, **kwargs: Any) -> Response:
        return Response(serializer(instance, context=self.context(request)).data, **kwargs)

    def page(
        self, serializer: type[ResourceSerializer], queryset: QuerySet[Any], request: Request, **extra: Any
    ) -> Response:
        rows = self.paginator.paginate_queryset(queryset, request, self)
        shown = serializer(rows, many=True, context=self.context(request) | extra)
        return self.paginator.get_paginated_response(shown.data)


class Unknown(View):
    """Everything under /api/ that is no resource, whatever the method."""

    authentication_classes: Any = []
    permission_classes: Any = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not request.path.endswith("/"):
            try:
                match = resolve(f"{request.path}/")
            except Resolver404:
                match = None
            if match is not None and getattr(match.func, "cls", None) is not Unknown:
                raise NotFound("There is nothing here: the addresses of this API end with a slash.")
        raise NotFound("There is nothing here under this address.")

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is nothing here under this address.")
