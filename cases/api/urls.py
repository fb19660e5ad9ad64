"""The laboratory's addresses under /api/v1/."""

from __future__ import annotations

from django.urls import path

from cases.api import cells, comments, counting, karyograms, orders, review, together, versions

urlpatterns = [
    path("patients/", orders.Patients.as_view(), name="patients"),
    path("patients/<uuid:pk>/", orders.Patient.as_view(), name="patient"),
    path("cases/", orders.Cases.as_view(), name="cases"),
    path("cases/<uuid:pk>/", orders.Case.as_view(), name="case"),
    path("cases/<uuid:pk>/cultures/", orders.Cultures.as_view(), name="case-cultures"),
    path("cases/<uuid:pk>/metaphases/", cells.CaseMetaphases.as_view(), name="case-metaphases"),
    path("cases/<uuid:pk>/counting/", counting.CaseCounting.as_view(), name="case-counting"),
    path("cases/<uuid:pk>/submit/", review.Submit.as_view(), name="case-submit"),
    path("cases/<uuid:pk>/return/", review.Return.as_view(), name="case-return"),
    path("cases/<uuid:pk>/sign/", review.Sign.as_view(), name="case-sign"),
    path("cases/<uuid:pk>/amend/", review.Amend.as_view(), name="case-amend"),
    path("cases/<uuid:pk>/reports/", review.Reports.as_view(), name="case-reports"),
    path("reports/<uuid:pk>/", review.Report.as_view(), name="report"),
    path("reports/<uuid:pk>/pdf/", review.ReportPdf.as_view(), name="report-pdf"),
    path("metaphases/<uuid:pk>/", cells.Metaphase.as_view(), name="metaphase"),
    path("metaphases/<uuid:pk>/original/", cells.Original.as_view(), name="metaphase-original"),
    path("metaphases/<uuid:pk>/view/", cells.Picture.as_view(), name="metaphase-view"),
    path("metaphases/<uuid:pk>/analyse/", cells.Analyse.as_view(), name="metaphase-analyse"),
    path("metaphases/<uuid:pk>/count/", counting.Count.as_view(), name="metaphase-count"),
    path("metaphases/<uuid:pk>/standing/", counting.Standing.as_view(), name="metaphase-standing"),
    path("metaphases/<uuid:pk>/karyogram/", karyograms.Karyogram.as_view(), name="karyogram"),
    path("metaphases/<uuid:pk>/karyogram/edits/", karyograms.Edits.as_view(), name="karyogram-edits"),
    path("metaphases/<uuid:pk>/karyogram/undo/", karyograms.Undo.as_view(), name="karyogram-undo"),
    path("metaphases/<uuid:pk>/karyogram/redo/", karyograms.Redo.as_view(), name="karyogram-redo"),
    path(
        "metaphases/<uuid:pk>/karyogram/restore/",
        karyograms.RestoreProposal.as_view(),
        name="karyogram-restore-proposal",
    ),
    path("metaphases/<uuid:pk>/karyogram/accept/", karyograms.Accept.as_view(), name="karyogram-accept"),
    path("metaphases/<uuid:pk>/karyogram/reopen/", karyograms.Reopen.as_view(), name="karyogram-reopen"),
    path("metaphases/<uuid:pk>/karyogram/changes/", together.Changes.as_view(), name="karyogram-changes"),
    path("metaphases/<uuid:pk>/karyogram/origins/", versions.Origins.as_view(), name="karyogram-origins"),
    path("metaphases/<uuid:pk>/karyogram/versions/", versions.Versions.as_view(), name="karyogram-versions"),
    path(
        "metaphases/<uuid:pk>/karyogram/versions/<int:version>/",
        versions.Version.as_view(),
        name="karyogram-version",
    ),
    path(
        "metaphases/<uuid:pk>/karyogram/versions/<int:version>/restore/",
        versions.Restore.as_view(),
        name="karyogram-restore",
    ),
    path("metaphases/<uuid:pk>/presence/", together.Presence.as_view(), name="metaphase-presence"),
    path("metaphases/<uuid:pk>/comments/", comments.Comments.as_view(), name="metaphase-comments"),
    path("cases/<uuid:pk>/comments/", comments.CaseComments.as_view(), name="case-comments"),
    path("comments/<uuid:pk>/resolve/", comments.Resolve.as_view(), name="comment-resolve"),
    path("comments/<uuid:pk>/reopen/", comments.Reopen.as_view(), name="comment-reopen"),
    path("metaphases/<uuid:pk>/karyogram/sheet.png", karyograms.Sheet.as_view(), name="karyogram-sheet"),
]
