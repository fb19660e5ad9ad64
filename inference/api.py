"""Jobs in the API: how an analysis stands, stopping it, trying it again.  `urlpatterns` goes under /api/v1/."""

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


urlpatterns = [
    path("jobs/", JobList.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>/", JobDetail.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", JobCancel.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", JobRetry.as_view(), name="job-retry"),
    path("metaphases/<uuid:metaphase_id>/cut/", Cut.as_view(), name="cut"),
]
