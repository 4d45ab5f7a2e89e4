from django.urls import path

from socle.accounts import views

app_name = "accounts"
urlpatterns = [
    path("connexion/", views.LogIn.as_view(), name="login"),
    path("connexion/code/", views.SecondFactor.as_view(), name="second_factor"),
    path("connexion/certificat/", views.WithCertificate.as_view(), name="certificate"),
    path("confirmation/", views.StepUp.as_view(), name="step_up"),
    path("connexion/telephone/", views.SetUp.as_view(), name="set_up"),
    path("deconnexion/", views.LogOut.as_view(), name="logout"),
    path("entrer/", views.Enter.as_view(), name="enter"),
    path("aller/<str:host>/", views.Switch.as_view(), name="switch"),
    path("compte/", views.Account.as_view(), name="account"),
    path("compte/codes/", views.RecoveryCodes.as_view(), name="recovery_codes"),
]
