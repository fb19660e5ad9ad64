"""The clinical record."""

from cases.models.case import Case, CaseState, Culture, Specimen
from cases.models.comment import Comment
from cases.models.counting import CellCount
from cases.models.karyogram import EditKind, Karyogram, KaryogramEdit
from cases.models.metaphase import AnalysisState, CellStanding, Metaphase, StoredImage
from cases.models.patient import Patient, Sex
from cases.models.presence import Presence
from cases.models.report import Meaning, Report, ReportState, Signature

__all__ = [
    "AnalysisState",
    "Case",
    "CellCount",
    "CellStanding",
    "CaseState",
    "Comment",
    "Culture",
    "EditKind",
    "Karyogram",
    "KaryogramEdit",
    "Meaning",
    "Metaphase",
    "Patient",
    "Presence",
    "Report",
    "ReportState",
    "Sex",
    "Signature",
    "Specimen",
    "StoredImage",
]
