from django.urls import path

from tenants.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.Journal.as_view(), name="journal"),
    path("exports/", views.Exports.as_view(), name="exports"),
    path("exports/<str:schema>/", views.Export.as_view(), name="export"),
]
