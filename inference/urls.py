"""Pages about the models."""

from django.urls import path

from inference import views

urlpatterns = [
    path("models/", views.models, name="models"),
    path("models/activate/", views.activate, name="model-activate"),
]
