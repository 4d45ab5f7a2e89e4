from django.urls import path

from registration_authority.evidence import views

urlpatterns = [
    path("registre/", views.Register.as_view(), name="register"),
    path("registre/export/", views.Export.as_view(), name="export_register"),
]
