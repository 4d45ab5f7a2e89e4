from django.urls import path

from training import views

app_name = "training"
urlpatterns = [
    path("", views.Sessions.as_view(), name="sessions"),
    path("programmes/", views.Programmes.as_view(), name="programmes"),
    path("programmes/nouveau/", views.EditProgramme.as_view(), name="new_programme"),
    path("programmes/<int:pk>/", views.EditProgramme.as_view(), name="programme"),
    path("planifier/", views.Plan.as_view(), name="plan"),
    path("attestations/", views.Verify.as_view(), name="verify"),
    path("<int:pk>/", views.Session.as_view(), name="session"),
    path("<int:pk>/modifier/", views.Move.as_view(), name="move"),
    path("<int:pk>/ouvrir/", views.Open.as_view(), name="open"),
    path("<int:pk>/annuler/", views.Cancel.as_view(), name="cancel"),
    path("<int:pk>/inscrire/", views.Enrol.as_view(), name="enrol"),
    path("<int:pk>/convoquer/", views.Convene.as_view(), name="convene"),
    path("<int:pk>/cloturer/", views.Close.as_view(), name="close"),
    path("<int:pk>/emargement.pdf", views.Sheet.as_view(), name="sheet"),
    path("demi-journees/<int:pk>/", views.SignIn.as_view(), name="sign_in"),
    path("inscriptions/<int:pk>/desister/", views.Withdraw.as_view(), name="withdraw"),
    path("inscriptions/<int:pk>/convocation.pdf", views.Convocation.as_view(), name="convocation"),
    path(
        "inscriptions/<int:pk>/rendez-vous.ics",
        views.Convocation.as_view(as_calendar=True),
        name="invitation",
    ),
    path("inscriptions/<int:pk>/attestation.pdf", views.Certificate.as_view(), name="certificate"),
]
