"""What the API shows of the laboratory's records."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases.api.pixels import view_url
from cases.models import (
    AnalysisState,
    CaseState,
    CellStanding,
    EditKind,
    Meaning,
    Metaphase,
    Report,
    ReportState,
    Sex,
    Specimen,
)
from karyosite.api_views import ResourceSerializer


def job_url(metaphase: Metaphase) -> str | None:
    return reverse("api:job", args=[metaphase.analysis_job]) if metaphase.analysis_job else None


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")


class PatientSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    identifier = serializers.CharField()
    family_name = serializers.CharField()
    given_name = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    sex = serializers.ChoiceField(choices=Sex.choices)
    created_at = serializers.DateTimeField()


class PatientInCaseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    identifier = serializers.CharField()
    name = serializers.CharField()


class CaseSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    accession_number = serializers.CharField()
    patient = PatientInCaseSerializer()
    specimen = serializers.ChoiceField(choices=Specimen.choices)
    indication = serializers.CharField()
    received_on = serializers.DateField()
    due_on = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=CaseState.choices)
    editable = serializers.BooleanField(help_text="False while the case is under review or signed.")
    assignee = PersonSerializer(allow_null=True)
    version = serializers.IntegerField(help_text="2 and up are amendments.")
    amendment_reason = serializers.CharField()
    cells = serializers.IntegerField()
    cells_accepted = serializers.IntegerField()
    cells_working = serializers.IntegerField(help_text="Waiting for analysis or being analysed.")
    cells_failed = serializers.IntegerField()
    doubts = serializers.IntegerField(help_text="Flagged chromosomes that nobody has looked at yet.")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class CultureSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    medium = serializers.CharField()
    created_at = serializers.DateTimeField()


class KaryogramInMetaphaseSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    count = serializers.IntegerField()
    doubts = serializers.IntegerField()
    url = serializers.CharField()


class MetaphaseSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    case = serializers.UUIDField(source="case_id")
    ordinal = serializers.IntegerField(help_text="1, 2, 3 … within the case.")
    culture = serializers.UUIDField(source="culture_id", allow_null=True)
    original_name = serializers.CharField()
    sha256 = serializers.CharField(source="image.sha256", help_text="Of the uploaded file, kept byte for byte.")
    byte_size = serializers.IntegerField(source="image.byte_size")
    media_type = serializers.CharField(source="image.media_type")
    page = serializers.IntegerField(help_text="From 0, in a file of several pages.")
    width = serializers.IntegerField(help_text="Pixels as shown, after EXIF orientation.")
    height = serializers.IntegerField()
    bit_depth = serializers.IntegerField()
    analysis_state = serializers.ChoiceField(choices=AnalysisState.choices)
    analysis_stage = serializers.CharField()
    analysis_error = serializers.CharField()
    job_url = serializers.SerializerMethodField(help_text="The newest analysis job; null where there was none.")
    accepted_by = serializers.SerializerMethodField(help_text="The person who accepted the cell.")
    accepted_at = serializers.DateTimeField(allow_null=True)
    standing = serializers.ChoiceField(choices=CellStanding.choices, help_text="What has been done with the cell.")
    exclusion_reason = serializers.CharField(help_text="Empty unless it is excluded.")
    count = serializers.IntegerField(
        source="chromosome_count", allow_null=True, help_text="A person's count, else the accepted karyogram's."
    )
    count_differs = serializers.BooleanField(help_text="A person's count and the karyogram disagree.")
    karyogram = serializers.SerializerMethodField(help_text="Null until the analysis has finished.")
    original_url = serializers.SerializerMethodField()
    view_url = serializers.SerializerMethodField(help_text="A PNG for browsers, made from the original.")
    created_at = serializers.DateTimeField()

    def get_job_url(self, metaphase: Metaphase) -> str | None:
        return job_url(metaphase)

    def get_accepted_by(self, metaphase: Metaphase) -> str | None:
        return str(metaphase.accepted_by) if metaphase.accepted_by else None

    @extend_schema_field(KaryogramInMetaphaseSerializer(allow_null=True))
    def get_karyogram(self, metaphase: Metaphase) -> dict[str, Any] | None:
        karyogram = getattr(metaphase, "karyogram", None)
        if karyogram is None:
            return None
        return {
            "version": karyogram.version,
            "count": karyogram.count,
            "doubts": karyogram.doubts,
            "url": reverse("api:karyogram", args=[metaphase.pk]),
        }

    def get_original_url(self, metaphase: Metaphase) -> str:
        return reverse("api:metaphase-original", args=[metaphase.pk])

    def get_view_url(self, metaphase: Metaphase) -> str:
        return view_url(metaphase)


class AddedMetaphasesSerializer(ResourceSerializer):
    metaphases = MetaphaseSerializer(many=True, help_text="The cells that are new.")
    duplicates = MetaphaseSerializer(many=True, help_text="Cells of this file that the case had already.")
    job_urls = serializers.ListField(child=serializers.CharField(), help_text="One analysis job a new cell.")


class StepSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="The version that this step made.")
    kind = serializers.ChoiceField(choices=EditKind.choices)
    edit = serializers.DictField()
    inverse = serializers.DictField(help_text="The edit that takes this one back.")
    author = serializers.CharField(source="author_name")
    at = serializers.DateTimeField(source="created_at")
    undoes = serializers.IntegerField(allow_null=True, help_text="The version that an undo takes back.")
    restores = serializers.IntegerField(allow_null=True, help_text="The earlier version that this step brought back.")


class KaryogramStateSerializer(ResourceSerializer):
    version = serializers.IntegerField()
    can_undo = serializers.BooleanField()
    can_redo = serializers.BooleanField()
    count = serializers.IntegerField(help_text="Chromosomes present, debris left out.")
    sex_complement = serializers.CharField()
    doubts = serializers.IntegerField()
    accepted = serializers.BooleanField(help_text="A person has accepted the cell; any later edit withdraws it.")


class AppliedSerializer(KaryogramStateSerializer):
    step = StepSerializer()


class KaryogramSerializer(KaryogramStateSerializer):
    document = serializers.DictField(help_text="`karyosite.karyogram/1`.")
    editable = serializers.BooleanField(help_text="By you, now.")
    locked_because = serializers.CharField(help_text="Why not, in a sentence; empty while it is editable.")
    view_url = serializers.CharField()


class SignatureSerializer(serializers.Serializer[Any]):
    printed_name = serializers.CharField()
    meaning = serializers.ChoiceField(choices=Meaning.choices)
    signed_at = serializers.DateTimeField()
    snapshot_sha256 = serializers.CharField()


class ReportSerializer(ResourceSerializer):
    id = serializers.UUIDField()
    case = serializers.UUIDField(source="case_id")
    version = serializers.IntegerField()
    round = serializers.IntegerField(help_text="1, 2, 3 … submissions of this version.")
    state = serializers.ChoiceField(choices=ReportState.choices)
    result = serializers.CharField()
    comment = serializers.CharField()
    snapshot_sha256 = serializers.CharField()
    submitted_by = serializers.CharField(source="submitted_by_name")
    submitted_at = serializers.DateTimeField()
    returned_by = serializers.CharField(source="returned_by_name")
    returned_at = serializers.DateTimeField(allow_null=True)
    return_reason = serializers.CharField()
    signatures = SignatureSerializer(many=True)
    pdf_url = serializers.SerializerMethodField()

    def get_pdf_url(self, report: Report) -> str:
        return reverse("api:report-pdf", args=[report.pk])


class ReportWithSnapshotSerializer(ReportSerializer):
    snapshot = serializers.DictField(help_text="What was submitted and is signed: all that the PDF is made from.")
