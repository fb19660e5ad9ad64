"""Signing in and out, one's own account, and the laboratory."""

from django.urls import path

from karyosite.accounts import views

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("account/", views.account, name="account"),
    path("account/password/", views.password, name="password"),
    path("account/tokens/", views.token_new, name="token-new"),
    path("account/tokens/<uuid:token_id>/revoke/", views.token_revoke, name="token-revoke"),
    path("laboratory/", views.laboratory, name="laboratory"),
    path("laboratory/members/", views.member_new, name="member-new"),
    path("laboratory/members/<int:member_id>/", views.member, name="member"),
    path("laboratory/members/<int:member_id>/password/", views.member_password, name="member-password"),
    path("laboratory/members/<int:member_id>/remove/", views.member_remove, name="member-remove"),
]
