from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "karyosite.accounts"
    label = "accounts"
