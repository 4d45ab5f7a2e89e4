from django.urls import path

from socle.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.Notices.as_view(), name="list"),
    path("lues/", views.ReadAll.as_view(), name="read_all"),
]
