from django.urls import path

from tenants.opendata import views

app_name = "opendata"
urlpatterns = [
    path("", views.Registers.as_view(), name="registers"),
    path("deliberations.csv", views.Deliberations.as_view(), name="deliberations"),
]
