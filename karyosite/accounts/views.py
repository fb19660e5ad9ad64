"""Signing in and out, one's own account, and the laboratory's members."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from karyosite.accounts import actions, members, tokens
from karyosite.accounts.forms import (
    LaboratoryForm,
    MemberForm,
    MemberNewForm,
    PasswordForm,
    RemoveForm,
    SetPasswordForm,
    SignInForm,
    TokenForm,
)
from karyosite.accounts.models import Membership
from karyosite.accounts.throttle import sign_in_wait
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.forms import LabForm
from karyosite.pages import page, person


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Guessing is slowed down: after too many tries the form says how long to wait."""
        wait = sign_in_wait(request)
        if wait:
            context = self.get_context_data(
                form=SignInForm(request, initial={"username": request.POST.get("username", "")}), wait=wait
            )
            response = self.render_to_response(context, status=429)
            response["Retry-After"] = str(wait)
            return response
        return super().post(request, *args, **kwargs)


class SignOut(LogoutView):
    http_method_names = ["post", "options"]


@page
def account(request: HttpRequest) -> HttpResponse:
    return _account(request)


def _account(request: HttpRequest, **shown: Any) -> HttpResponse:
    user = person(request)
    context = {
        "tokens": list(tokens.tokens(user).order_by("-created")),
        "password_form": PasswordForm(user=user),
        "token_form": TokenForm(),
        **shown,
    }
    refused = any(getattr(form, "errors", None) for form in shown.values())
    return render(request, "accounts/account.html", context, status=422 if refused else 200)


@sensitive_post_parameters()
@page
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = PasswordForm(request.POST, user=user)
    if form.is_valid():
        try:
            members.change_password(user=user, password=form.cleaned_data["password"])
        except Refusal as refusal:
            form.take(refusal)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed. Other places where you were signed in are signed out.")
            return redirect("account")
    return _account(request, password_form=form)


@page
@require_POST
def token_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = TokenForm(request.POST)
    if form.is_valid():
        days = form.cleaned_data["days"]
        try:
            row, text = tokens.create_token(
                user=user,
                name=form.cleaned_data["name"],
                lifetime=datetime.timedelta(days=days) if days else None,
            )
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            # Shown in this answer and nowhere else: not redirected, so that it never lies in a session.
            return _account(request, new_token=row, new_token_text=text)
    return _account(request, token_form=form)


@page
@require_POST
def token_revoke(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    tokens.revoke_token(user=person(request), token_id=token_id)
    messages.success(request, "The token is revoked. Whatever used it can no longer sign in.")
    return redirect("account")


@page
def laboratory(request: HttpRequest) -> HttpResponse:
    """Members and settings; POST changes the settings."""
    if request.method != "POST":
        return _laboratory(request)
    form = LaboratoryForm(request.POST)
    members.administered(person(request))
    if form.is_valid() and _done(form, actions.change_laboratory, user=person(request), **form.cleaned_data):
        messages.success(request, "The laboratory's settings are changed.")
        return redirect("laboratory")
    return _laboratory(request, settings_form=form)


def _done(form: LabForm, action: Callable[..., Any], **arguments: Any) -> bool:
    """Runs the action; a refusal that speaks of the input goes into the form."""
    try:
        action(**arguments)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        form.take(refusal)
        return False
    return True


def _laboratory(request: HttpRequest, **refused: LabForm) -> HttpResponse:
    user = person(request)
    lab = members.administered(user)
    context: dict[str, Any] = {"laboratory": lab, "members": list(members.members(user))}
    context["member_form"] = MemberNewForm()
    settings = ("name", "research_use_only", "micrometres_per_pixel")
    context["settings_form"] = LaboratoryForm(initial={name: getattr(lab, name) for name in settings})
    return render(request, "accounts/laboratory.html", context | refused, status=422 if refused else 200)


@sensitive_post_parameters("password")
@page
@require_POST
def member_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    members.administered(user)
    form = MemberNewForm(request.POST)
    if form.is_valid() and _done(form, actions.add_member, user=user, **form.cleaned_data):
        given = form.cleaned_data
        messages.success(request, f"{given['printed_name']} is a member now and can sign in as {given['username']}.")
        return redirect("laboratory")
    return _laboratory(request, member_form=form)


@page
def member(request: HttpRequest, member_id: int) -> HttpResponse:
    """One member; POST changes name and role."""
    user = person(request)
    found = members.member(user, member_id)
    if request.method != "POST":
        return _member(request, found)
    form = MemberForm(request.POST)
    if form.is_valid() and _done(form, actions.change_member, user=user, member_id=member_id, **form.cleaned_data):
        messages.success(request, f"{form.cleaned_data['printed_name']} is changed.")
        return redirect("laboratory")
    return _member(request, found, form=form)


@sensitive_post_parameters("password")
@page
@require_POST
def member_password(request: HttpRequest, member_id: int) -> HttpResponse:
    user = person(request)
    found = members.member(user, member_id)
    form = SetPasswordForm(request.POST)
    if form.is_valid() and _done(form, actions.set_password, user=user, member_id=member_id, **form.cleaned_data):
        messages.success(request, f"The new password for {found.user} holds from now on.")
        return redirect("laboratory")
    return _member(request, found, password_form=form)


@page
@require_POST
def member_remove(request: HttpRequest, member_id: int) -> HttpResponse:
    user = person(request)
    found = members.member(user, member_id)
    form = RemoveForm(request.POST)
    if form.is_valid() and _done(form, actions.remove_member, user=user, member_id=member_id, **form.cleaned_data):
        messages.success(request, f"{found.user} is no longer a member. Signatures and the audit log keep the name.")
        return redirect("laboratory")
    return _member(request, found, remove_form=form)


def _member(request: HttpRequest, found: Membership, **refused: LabForm) -> HttpResponse:
    context: dict[str, Any] = {
        "member": found,
        "own": found.user_id == person(request).pk,
        "form": MemberForm(initial={"printed_name": found.user.printed_name, "role": found.role}),
        "password_form": SetPasswordForm(),
        "remove_form": RemoveForm(),
    }
    return render(request, "accounts/member.html", context | refused, status=422 if refused else 200)
