"""Who may do what, as one table.  A stranger is told nothing (404); a colleague without the right gets 403."""

from __future__ import annotations

from karyosite.accounts.models import Laboratory, Membership, Role, User
from karyosite.accounts.selectors import current_membership
from karyosite.errors import Forbidden, NotFound

_T, _S, _A, _I = Role.TECHNOLOGIST, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.INTEGRATION
RIGHTS: dict[str, frozenset[str]] = {
    "view": frozenset({_T, _S, _A, _I}),
    "create_patient": frozenset({_T, _S, _A, _I}),
    "change_patient": frozenset({_T, _S, _A, _I}),
    "create_case": frozenset({_T, _S, _A, _I}),
    "change_case": frozenset({_T, _S, _A, _I}),
    "add_culture": frozenset({_T, _S, _I}),
    "add_metaphase": frozenset({_T, _S, _I}),
    "request_analysis": frozenset({_T, _S, _I}),
    "edit_karyogram": frozenset({_T, _S}),
    "accept_karyogram": frozenset({_T, _S}),
    "record_count": frozenset({_T, _S}),
    "set_cell_standing": frozenset({_T, _S}),
    "comment": frozenset({_T, _S, _A, _I}),
    "submit_case": frozenset({_T, _S}),
    "return_case": frozenset({_S}),
    "sign_case": frozenset({_S}),
    "amend_case": frozenset({_S}),
    "view_audit": frozenset({_S, _A}),
    "manage_members": frozenset({_A}),
    "change_laboratory": frozenset({_A}),
    "view_models": frozenset({_S, _A}),
    "activate_model": frozenset({_A}),
}
_SENTENCES = {
    "edit_karyogram": "Only technologists and supervisors may change a karyogram.",
    "record_count": "Only technologists and supervisors may count cells.",
    "sign_case": "Only a supervisor may sign a case.",
    "return_case": "Only a supervisor may return a case.",
    "amend_case": "Only a supervisor may open an amendment.",
    "activate_model": "Only an administrator may choose the models that the laboratory works with.",
}


def may(user: User, right: str) -> bool:
    membership = current_membership(user)
    return membership is not None and membership.role in RIGHTS[right]


def require(user: User, right: str, laboratory: Laboratory | None = None) -> Membership:
    """The membership under which the user acts, or a refusal.

    NotFound when the record is another laboratory's; Forbidden when the role lacks the right.
    """
    membership = current_membership(user)
    if membership is None or (laboratory is not None and membership.laboratory_id != laboratory.pk):
        raise NotFound("There is nothing here under this address.")
    if membership.role not in RIGHTS[right]:
        raise Forbidden(_SENTENCES.get(right, f"As {membership.get_role_display().lower()} you may not do this."))
    return membership
