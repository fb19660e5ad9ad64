"""Addresses of the laboratory's pages; their names are agreed in docs/rooms.md."""

from django.urls import path

from cases.views import (
    across,
    analysis,
    case,
    case_list,
    case_new,
    cell,
    decisions,
    patients,
    reports,
    thumbnail,
    worklist,
)

urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("cases/", case_list.case_list, name="case-list"),
    path("cases/new/", case_new.case_new, name="case-new"),
    path("cases/<uuid:case_id>/", case.case, name="case"),
    path("cases/<uuid:case_id>/edit/", case_new.case_edit, name="case-edit"),
    path("cases/<uuid:case_id>/cells/", case.case_cells, name="case-cells"),
    path("cases/<uuid:case_id>/cultures/", case.culture_new, name="culture-new"),
    path("cases/<uuid:case_id>/across/", across.case_across, name="case-across"),
    path("cases/<uuid:case_id>/submit/", decisions.case_submit, name="case-submit"),
    path("cases/<uuid:case_id>/return/", decisions.case_return, name="case-return"),
    path("cases/<uuid:case_id>/sign/", decisions.case_sign, name="case-sign"),
    path("cases/<uuid:case_id>/amend/", decisions.case_amend, name="case-amend"),
    path("cases/<uuid:case_id>/audit/", reports.case_audit, name="case-audit"),
    path("cells/<uuid:metaphase_id>/", cell.cell, name="cell"),
    path("cells/<uuid:metaphase_id>/analyse/", analysis.analyse, name="cell-analyse"),
    path("cells/<uuid:metaphase_id>/cancel/", analysis.cancel, name="cell-cancel"),
    path("cells/<uuid:metaphase_id>/thumbnail/<int:version>/", thumbnail.thumbnail, name="cell-thumbnail"),
    path(
        "cells/<uuid:metaphase_id>/chromosomes/<slug:chromosome>/<int:version>/",
        across.chromosome_picture,
        name="chromosome-picture",
    ),
    path("patients/", patients.patient_list, name="patient-list"),
    path("patients/new/", patients.patient_new, name="patient-new"),
    path("patients/find/", patients.patient_find, name="patient-find"),
    path("patients/<uuid:patient_id>/", patients.patient, name="patient"),
    path("patients/<uuid:patient_id>/edit/", patients.patient_edit, name="patient-edit"),
    path("reports/<uuid:report_id>/", reports.report, name="report"),
    path("reports/<uuid:report_id>/pdf/", reports.report_pdf, name="report-pdf"),
]
