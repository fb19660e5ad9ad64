"""Jobs in the API: how an analysis stands, stopping it, trying it again; and the models that do it.

`urlpatterns` goes under /api/v1/.
"""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cases import policies
from cases.actions.cancel_analysis import cancel_analysis
from cases.actions.request_analysis import request_analysis
from inference import selectors
from inference.actions import activate_model
from inference.cards import Card, ManifestUnreadable
from inference.cut_api import Cut
from inference.models import InferenceJob, JobState
from karyosite.api import KeysetPagination
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person
from karyosite.errors import Conflict


class ModelUsedSerializer(serializers.Serializer[Any]):
    role = serializers.CharField(help_text="detector, segmenter, …")
    name = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the weights; empty for a method without any.", allow_blank=True)


class JobSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    url = serializers.SerializerMethodField(help_text="Where this job is asked after.")
    metaphase = serializers.UUIDField(source="metaphase_id")
    case = serializers.UUIDField(source="metaphase.case_id")
    state = serializers.ChoiceField(choices=JobState.choices)
    stage = serializers.CharField(help_text="What a running job is doing; else empty.", allow_blank=True)
    attempt = serializers.IntegerField(help_text="0 while waiting for the first; more than 1 after a lost worker.")
    queued_at = serializers.DateTimeField()
    claimed_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    wait_s = serializers.FloatField(allow_null=True, help_text="Seconds from request to the latest attempt.")
    run_s = serializers.FloatField(allow_null=True, help_text="Seconds of the latest attempt, once it has ended.")
    models_used = ModelUsedSerializer(many=True)
    timings_s = serializers.DictField(child=serializers.FloatField(), help_text="Seconds by stage.")
    error = serializers.CharField(help_text="A sentence for people, of a job that failed.", allow_blank=True)

    def get_url(self, job: InferenceJob) -> str:
        return reverse("api:job", args=[job.pk])


class JobQuerySerializer(InputSerializer):
    metaphase = serializers.UUIDField(required=False)
    case = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=JobState.choices, required=False)


class JobPagination(KeysetPagination):
    ordering = ("-queued_at", "-id")


class JobList(View):
    pagination_class = JobPagination

    @extend_schema(
        operation_id="jobs_list", parameters=[JobQuerySerializer], responses=JobSerializer(many=True), tags=["jobs"]
    )
    def get(self, request: Request) -> Response:
        """The laboratory's analyses, newest first."""
        wanted = self.query(JobQuerySerializer, request)
        found = selectors.jobs(person(request))
        if "metaphase" in wanted:
            found = found.filter(metaphase_id=wanted["metaphase"])
        if "case" in wanted:
            found = found.filter(metaphase__case_id=wanted["case"])
        if "state" in wanted:
            found = found.filter(state=wanted["state"])
        return self.page(JobSerializer, found, request)


class JobDetail(View):
    @extend_schema(operation_id="jobs_retrieve", responses=JobSerializer, tags=["jobs"])
    def get(self, request: Request, job_id: Any) -> Response:
        """How an analysis stands."""
        return self.show(JobSerializer, selectors.job(person(request), job_id), request)


class JobCancel(View):
    @extend_schema(operation_id="jobs_cancel", request=None, responses={202: JobSerializer}, tags=["jobs"])
    def post(self, request: Request, job_id: Any) -> Response:
        """Stops an analysis that waits or runs; what it has computed so far is thrown away."""
        user = person(request)
        job = selectors.job(user, job_id)
        if job.state in (JobState.QUEUED, JobState.RUNNING):
            cancel_analysis(user=user, metaphase_id=job.metaphase_id)
        else:
            _must_have_the_right(user, job)
            raise Conflict("This analysis has ended already, so there is nothing to cancel.", state=job.state)
        job.refresh_from_db()
        return self.show(JobSerializer, job, request, status=status.HTTP_202_ACCEPTED)


class JobRetry(View):
    @extend_schema(operation_id="jobs_retry", request=None, responses={202: JobSerializer}, tags=["jobs"])
    def post(self, request: Request, job_id: Any) -> Response:
        """Analyses the cell of a failed or cancelled job again, as a new job: its address is in `Location`."""
        user = person(request)
        job = selectors.job(user, job_id)
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            _must_have_the_right(user, job)
            raise Conflict("Only an analysis that failed or was cancelled can be tried again.", state=job.state)
        request_analysis(user=user, metaphase_id=job.metaphase_id)
        again = selectors.jobs(user).filter(metaphase_id=job.metaphase_id).order_by("-queued_at", "-id")[0]
        address = reverse("api:job", args=[again.pk])
        return self.show(JobSerializer, again, request, status=status.HTTP_202_ACCEPTED, headers={"Location": address})


def _must_have_the_right(user: Any, job: InferenceJob) -> None:
    """A colleague without the right learns that first, whatever the job's state."""
    policies.require(user, "request_analysis", job.metaphase.case.laboratory)


class ModelFileSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="torch, onnx, …")
    file = serializers.CharField()
    sha256 = serializers.CharField()


class ModelSerializer(ResourceSerializer):
    role = serializers.CharField(help_text="detector, segmenter, classifier, …")
    name = serializers.CharField()
    version = serializers.CharField()
    active = serializers.BooleanField(help_text="The laboratory works with this version.")
    whole = serializers.SerializerMethodField(help_text="Every file has the fingerprint that the manifest gives.")
    faults = serializers.ListField(child=serializers.CharField(), help_text="Why a file cannot be used, in sentences.")
    architecture = serializers.CharField(source="entry.architecture", default="", allow_blank=True)
    training_data = serializers.CharField(source="entry.training_data", default="", allow_blank=True)
    licence = serializers.CharField(source="entry.licence", default="", allow_blank=True)
    metrics = serializers.DictField(source="entry.metrics", default=dict)
    files = ModelFileSerializer(source="shown_files", many=True)

    def get_whole(self, card: Card) -> bool:
        return not card.faults


class ModelChoiceSerializer(InputSerializer):
    role = serializers.CharField(max_length=30)
    name = serializers.CharField(max_length=120)
    version = serializers.CharField(max_length=60)
    reason = serializers.CharField(max_length=5000, help_text="The validation that this rests on.")


class Models(View):
    @extend_schema(operation_id="models_list", responses=ModelSerializer(many=True), tags=["models"])
    def get(self, request: Request) -> Response:
        """The installed models with their cards, and which of them the laboratory works with."""
        return Response([self._shown(card, request) for card in _cards(person(request))])

    @extend_schema(
        operation_id="models_activate", request=ModelChoiceSerializer, responses=ModelSerializer, tags=["models"]
    )
    def post(self, request: Request) -> Response:
        """Works with this version from the next analysis on; what has been analysed stays as it is."""
        user = person(request)
        policies.require(user, "activate_model")
        active = activate_model(user=user, **self.read(ModelChoiceSerializer, request))
        card = next(card for card in _cards(user) if (card.role, card.name, card.version)
                    == (active.role, active.name, active.version))  # fmt: skip
        return Response(self._shown(card, request))

    def _shown(self, card: Card, request: Request) -> dict[str, Any]:
        return dict(ModelSerializer(card, context=self.context(request)).data)


def _cards(user: Any) -> list[Card]:
    try:
        return selectors.model_cards(user)
    except ManifestUnreadable:
        raise Conflict(
            "The list of installed models cannot be read. Whoever installed the program can bring it back."
        ) from None


urlpatterns = [
    path("models/", Models.as_view(), name="models"),
    path("jobs/", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>/", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", JobCancel.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", JobRetry.as_view(), name="job-retry"),
    path("metaphases/<uuid:metaphase_id>/cut/", Cut.as_view(), name="cut"),
]
