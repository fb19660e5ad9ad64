"""The site: what any web system needs, nothing about chromosomes."""

from karyosite.celery import app as celery_app

__all__ = ["celery_app"]
