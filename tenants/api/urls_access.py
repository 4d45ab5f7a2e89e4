from django.urls import path

from tenants.api import views

app_name = "software"
urlpatterns = [
    path("", views.Accesses.as_view(), name="list"),
    path("<int:pk>/fermer/", views.Close.as_view(), name="close"),
]
