"""Who one is, and the tokens of one's programs."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from karyosite.accounts import preferences, tokens
from karyosite.accounts.models import ApiToken, Role, User
from karyosite.accounts.selectors import current_membership
from karyosite.api import KeysetPagination, research_use_only
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person
from karyosite.errors import Forbidden


class PasswordThrottle(SimpleRateThrottle):
    """Guesses at one person's password, wherever they come from: by the name tried, or by who is signed in."""

    scope = "password"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.user and request.user.is_authenticated:
            ident = f"user-{request.user.pk}"
        else:
            given = request.data.get("username") if isinstance(request.data, dict) else None
            ident = f"name-{str(given).casefold()[:150].encode().hex()}"
        return self.cache_format % {"scope": self.scope, "ident": ident}


class AddressThrottle(SimpleRateThrottle):
    """Guesses at many people's passwords from one address."""

    scope = "password-address"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class LaboratorySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MeSerializer(ResourceSerializer):
    id = serializers.IntegerField()
    username = serializers.CharField()
    printed_name = serializers.CharField()
    laboratory = serializers.SerializerMethodField(
        help_text="Null for someone who belongs to no laboratory (any more)."
    )
    role = serializers.SerializerMethodField()

    @extend_schema_field(LaboratorySerializer(allow_null=True))
    def get_laboratory(self, user: User) -> dict[str, Any] | None:
        membership = current_membership(user)
        return dict(LaboratorySerializer(membership.laboratory).data) if membership else None

    @extend_schema_field(serializers.ChoiceField(choices=Role.choices, allow_null=True))
    def get_role(self, user: User) -> str | None:
        membership = current_membership(user)
        return membership.role if membership else None


class TokenSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    begins_with = serializers.CharField(source="token_key", help_text="Its first characters, to tell tokens apart.")
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(help_text="The token itself. It is shown this once and kept only as a hash.")


class TokenRequestSerializer(InputSerializer):
    name = serializers.CharField(max_length=80, help_text="What will use it.")
    expires_in_days = serializers.IntegerField(
        min_value=1, max_value=3660, required=False, allow_null=True, help_text="Left out: holds until it is revoked."
    )
    username = serializers.CharField(max_length=150, required=False, help_text="Without a session: your user name,")
    password = serializers.CharField(
        max_length=1000, required=False, trim_whitespace=False, write_only=True, help_text="and your password."
    )


class Me(View):
    @extend_schema(responses=MeSerializer, operation_id="me", tags=["account"])
    def get(self, request: Request) -> Response:
        """Who the session or token belongs to, in which laboratory and role."""
        return self.show(MeSerializer, request.user, request)


class ViewPreferencesSerializer(InputSerializer):
    """How a photograph is shown, for the eye only.  The limits are those of `preferences.VIEW_RANGES`."""

    contrast = serializers.FloatField(required=False, help_text="Per cent, 50 to 300.")
    brightness = serializers.FloatField(required=False, help_text="Per cent, -60 to 60.")
    gamma = serializers.FloatField(required=False, help_text="0.4 to 2.5; above 1 is lighter.")
    sharpen = serializers.FloatField(required=False, help_text="Per cent, 0 to 100.")
    flatten = serializers.FloatField(required=False, help_text="Per cent of the background's unevenness taken away.")
    invert = serializers.BooleanField(required=False)


class PreferencesRequestSerializer(InputSerializer):
    theme = serializers.CharField(required=False, help_text="system, light or dark.")
    outlines = serializers.BooleanField(required=False, help_text="Outlines over the photograph.")
    key_hints = serializers.BooleanField(required=False, help_text="The line of keys under the cell page.")
    drawer = serializers.CharField(required=False, allow_blank=True, help_text="The open panel; empty: closed.")
    bands = serializers.IntegerField(required=False, help_text="Of ideograms: 400, 550 or 850.")
    view = ViewPreferencesSerializer(required=False)


class PreferencesSerializer(ResourceSerializer):
    theme = serializers.CharField()
    outlines = serializers.BooleanField()
    key_hints = serializers.BooleanField()
    drawer = serializers.CharField(allow_blank=True)
    bands = serializers.IntegerField()
    view = ViewPreferencesSerializer()


class Preferences(View):
    @extend_schema(responses=PreferencesSerializer, operation_id="preferences", tags=["account"])
    def get(self, request: Request) -> Response:
        """How pages look to you: colours, picture settings, the open drawer."""
        return self.show(PreferencesSerializer, preferences.preferences(person(request)), request)

    @extend_schema(
        request=PreferencesRequestSerializer,
        responses=PreferencesSerializer,
        operation_id="preferences_change",
        tags=["account"],
    )
    def patch(self, request: Request) -> Response:
        """Some of them; what is left out stays as it is."""
        changes = self.read(PreferencesRequestSerializer, request)
        changed = preferences.change_preferences(user=person(request), changes=changes)
        return self.show(PreferencesSerializer, changed, request)


class TokenPagination(KeysetPagination):
    ordering = ("-created", "-id")


class Tokens(View):
    pagination_class = TokenPagination
    serializer_class = TokenSerializer

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_throttles(self) -> Any:
        return [AddressThrottle(), PasswordThrottle()] if self.request.method == "POST" else []

    @extend_schema(responses=TokenSerializer(many=True), operation_id="token_list", tags=["account"])
    def get(self, request: Request) -> Response:
        """Your own tokens, without their text."""
        return self.page(TokenSerializer, tokens.tokens(person(request)), request)

    @extend_schema(
        request=TokenRequestSerializer,
        responses={201: NewTokenSerializer},
        operation_id="token_create",
        tags=["account"],
    )
    def post(self, request: Request) -> Response:
        """A new token: from a signed-in session, or by user name and password.

        A token cannot make tokens: one that leaks must not outlive its own end.
        """
        if isinstance(request.auth, ApiToken):
            raise Forbidden("A token cannot make another token. Sign in, or send user name and password.")
        given = self.read(TokenRequestSerializer, request)
        user = self._who(request, given)
        days = given.get("expires_in_days")
        row, text = tokens.create_token(
            user=user, name=given["name"], lifetime=datetime.timedelta(days=days) if days else None
        )
        row.token = text  # type: ignore[attr-defined]
        context = self.context(request) | {"research_use_only": research_use_only(user)}
        return Response(NewTokenSerializer(row, context=context).data, status=201)

    def _who(self, request: Request, given: dict[str, Any]) -> User:
        if "username" in given or "password" in given:
            user = authenticate(
                request._request, username=given.get("username", ""), password=given.get("password", "")
            )
            if not isinstance(user, User):
                raise exceptions.AuthenticationFailed("User name and password do not belong together.")
            return user
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated("Sign in, or send user name and password.")
        return person(request)


class Token(View):
    @extend_schema(responses=TokenSerializer, operation_id="token", tags=["account"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One of your tokens, without its text."""
        return self.show(TokenSerializer, tokens.token(person(request), pk), request)

    @extend_schema(request=None, responses={204: None}, operation_id="token_revoke", tags=["account"])
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Revoke it: from this moment it opens nothing."""
        tokens.revoke_token(user=person(request), token_id=pk)
        return Response(status=204)
