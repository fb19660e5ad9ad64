from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "karyosite.audit"
    label = "audit"
