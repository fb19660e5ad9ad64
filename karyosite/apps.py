from django.apps import AppConfig


class KaryositeConfig(AppConfig):
    name = "karyosite"
    verbose_name = "Karyosite"
