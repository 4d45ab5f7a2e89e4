from django.urls import path

from training import views_commune as views

app_name = "training_commune"
urlpatterns = [
    path("", views.Mine.as_view(), name="mine"),
    path("<int:pk>/", views.Join.as_view(), name="join"),
    path("inscriptions/<int:pk>/desister/", views.Leave.as_view(), name="leave"),
    path("inscriptions/<int:pk>/convocation.pdf", views.Convocation.as_view(), name="convocation"),
    path(
        "inscriptions/<int:pk>/rendez-vous.ics",
        views.Convocation.as_view(as_calendar=True),
        name="invitation",
    ),
    path("inscriptions/<int:pk>/attestation.pdf", views.Certificate.as_view(), name="certificate"),
]
