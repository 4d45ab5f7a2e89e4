from django.urls import path

from registration_authority.revocation import views_public as views

app_name = "revocation"
urlpatterns = [
    path("", views.Public.as_view(), name="public"),
    path("sans-code/", views.CallBack.as_view(), name="call_back"),
]
