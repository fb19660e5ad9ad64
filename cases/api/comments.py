"""Comments on a cell, one of its chromosomes or a spot of its photograph."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import policies, selectors, together
from cases.actions.add_comment import LONGEST, add_comment
from cases.actions.reopen_comment import reopen_comment
from cases.actions.resolve_comment import resolve_comment
from cases.api.base import OldestFirst
from cases.domain import states
from cases.models import Comment
from karyosite.api import KeysetPagination
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person


class NewComment(InputSerializer):
    text = serializers.CharField(max_length=LONGEST)
    chromosome = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="Its id in the document, e.g. c01."
    )
    spot = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        required=False,
        allow_null=True,
        help_text="[x, y] in pixels of the original, instead of a chromosome.",
    )


class CommentSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    metaphase = serializers.UUIDField(source="metaphase_id")
    cell = serializers.IntegerField(source="metaphase.ordinal", help_text="The cell's number in its case.")
    chromosome = serializers.CharField(help_text="Empty where it is not about one.")
    x = serializers.FloatField(allow_null=True, help_text="Pixels of the original; null: about the whole cell.")
    y = serializers.FloatField(allow_null=True)
    version = serializers.IntegerField(allow_null=True, help_text="Of the karyogram, when the comment was made.")
    text = serializers.CharField()
    author = serializers.CharField(source="author_name")
    created_at = serializers.DateTimeField()
    resolved_by = serializers.CharField(source="resolved_by_name", help_text="Empty while it is open.")
    resolved_at = serializers.DateTimeField(allow_null=True)
    may_resolve = serializers.SerializerMethodField(help_text="Resolve or reopen it: you, now.")

    def get_may_resolve(self, comment: Comment) -> bool:
        user = person(self.context["request"])
        if comment.metaphase.case.state == states.SIGNED:
            return False
        return comment.author_id == user.pk or policies.may(user, "edit_karyogram")


class ByCell(KeysetPagination):
    ordering: Any = ("cell", "created_at", "id")


class Comments(View):
    pagination_class = OldestFirst

    @extend_schema(responses=CommentSerializer(many=True), operation_id="metaphase_comments", tags=["comments"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """What was said about a cell, oldest first, resolved or not."""
        return self.page(CommentSerializer, together.comments(person(request), pk), request)

    @extend_schema(
        request=NewComment, responses={201: CommentSerializer}, operation_id="comment_add", tags=["comments"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Says something about a cell; with `chromosome` or `spot`, about that.  Not once the case is signed."""
        made = add_comment(user=person(request), metaphase_id=pk, **self.read(NewComment, request))
        return self.show(CommentSerializer, together.comment(person(request), made.pk), request, status=201)


class CaseComments(View):
    pagination_class = ByCell

    @extend_schema(responses=CommentSerializer(many=True), operation_id="case_comments", tags=["comments"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The comments of a case that are still open, cell by cell."""
        case = selectors.case(person(request), pk)
        return self.page(CommentSerializer, together.open_comments(person(request), case), request)


class Resolve(View):
    @extend_schema(request=None, responses=CommentSerializer, operation_id="comment_resolve", tags=["comments"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Marks a comment as dealt with: its author, or whoever may change the karyogram."""
        resolve_comment(user=person(request), comment_id=pk)
        return self.show(CommentSerializer, together.comment(person(request), pk), request)


class Reopen(View):
    @extend_schema(request=None, responses=CommentSerializer, operation_id="comment_reopen", tags=["comments"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Opens a resolved comment again."""
        reopen_comment(user=person(request), comment_id=pk)
        return self.show(CommentSerializer, together.comment(person(request), pk), request)
