"""Signing in and out, one's own account, and the laboratory's members."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from karyosite.accounts import members, tokens
from karyosite.accounts.forms import (
    MemberEditForm,
    MemberNewForm,
    PasswordForm,
    SetPasswordForm,
    SignInForm,
    TokenForm,
)
from karyosite.accounts.throttle import sign_in_wait
from karyosite.errors import Forbidden, NotFound, Refusal
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
    return _laboratory(request)


def _laboratory(request: HttpRequest, **shown: Any) -> HttpResponse:
    user = person(request)
    context = {"laboratory": members.administered(user), "members": list(members.members(user)), **shown}
    context.setdefault("member_form", MemberNewForm())
    return render(request, "accounts/laboratory.html", context, status=422 if "member_form" in shown else 200)


@sensitive_post_parameters("password")
@page
@require_POST
def member_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    members.administered(user)
    form = MemberNewForm(request.POST)
    if form.is_valid():
        try:
            made = members.add_member(user=user, **form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, f"{made.user} is a member now and can sign in as {made.user.username}.")
            return redirect("laboratory")
    return _laboratory(request, member_form=form)


@sensitive_post_parameters("password")
@page
def member(request: HttpRequest, member_id: int) -> HttpResponse:
    """One member: role and name, or, where `password` is sent, a new first password."""
    user = person(request)
    found = members.member(user, member_id)
    setting = "password" in request.POST
    initial = {"printed_name": found.user.printed_name, "role": found.role, "active": found.user.is_active}
    form = MemberEditForm(None if setting else request.POST or None, initial=initial)
    password_form = SetPasswordForm(request.POST if setting else None)
    used = password_form if setting else form
    if request.method == "POST" and used.is_valid():
        try:
            if setting:
                members.set_password(user=user, member_id=found.pk, **used.cleaned_data)
                said = f"The new password for {found.user} holds from now on."
            else:
                members.change_member(user=user, member_id=found.pk, **used.cleaned_data)
                said = f"{used.cleaned_data['printed_name']} is changed."
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            used.take(refusal)
        else:
            messages.success(request, said)
            return redirect("laboratory")
    context = {"member": found, "form": form, "password_form": password_form, "own": found.user_id == user.pk}
    return render(request, "accounts/member.html", context, status=422 if used.errors else 200)
