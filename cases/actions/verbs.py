"""The vocabulary of the audit log for the laboratory's actions."""

from __future__ import annotations

from karyosite.audit.record import register

PATIENT_CREATED = register("patient.created", "Patient added")
PATIENT_CHANGED = register("patient.changed", "Patient changed")
CASE_CREATED = register("case.created", "Case opened")
CASE_CHANGED = register("case.changed", "Case changed")
CULTURE_ADDED = register("culture.added", "Culture added")
METAPHASE_ADDED = register("metaphase.added", "Cell added")
ANALYSIS_REQUESTED = register("analysis.requested", "Analysis requested")
ANALYSIS_CANCEL_REQUESTED = register("analysis.cancel-requested", "Analysis cancelled")
ANALYSIS_FAILED = register("analysis.failed", "Analysis failed")
PROPOSAL_ACCEPTED = register("karyogram.proposed", "Karyogram proposed by the models")
KARYOGRAM_EDITED = register("karyogram.edited", "Karyogram changed")
KARYOGRAM_UNDONE = register("karyogram.undone", "Karyogram change taken back")
KARYOGRAM_REDONE = register("karyogram.redone", "Karyogram change made again")
KARYOGRAM_ACCEPTED = register("karyogram.accepted", "Cell accepted")
KARYOGRAM_REOPENED = register("karyogram.reopened", "Cell opened again")
CELL_COUNTED = register("cell.counted", "Chromosomes counted")
CELL_STANDING_SET = register("cell.standing", "Cell counted, analysed or excluded")
CASE_SUBMITTED = register("case.submitted", "Case submitted for review")
CASE_RETURNED = register("case.returned", "Case returned to its author")
CASE_SIGNED = register("case.signed", "Case signed")
CASE_AMENDED = register("case.amended", "Amendment opened")
SIGNING_REFUSED = register("case.signing-refused", "Signing refused: password")
KARYOGRAM_RESTORED = register("karyogram.restored", "Karyogram taken back to an earlier version")
COMMENT_ADDED = register("comment.added", "Comment added")
COMMENT_RESOLVED = register("comment.resolved", "Comment resolved")
COMMENT_REOPENED = register("comment.reopened", "Comment opened again")
CELLS_EXPORTED = register("case.cells-exported", "Signed cells exported for training")
PROPOSAL_RESTORED = register("karyogram.proposal-restored", "Machine's proposal put back")
