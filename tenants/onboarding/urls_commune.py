from django.urls import path

from tenants.onboarding.views import commune as views

app_name = "onboarding_commune"
urlpatterns = [
    path("", views.Home.as_view(), name="home"),
    path("tarif/", views.AcceptTariff.as_view(), name="accept"),
    path("deliberation/", views.WriteDeliberation.as_view(), name="deliberation"),
    path("deliberation/signee/", views.SignDeliberation.as_view(), name="sign_deliberation"),
    path("deliberation/transmission/", views.Transmission.as_view(), name="transmission"),
    path("contrat/", views.SignContract.as_view(), name="sign_contract"),
    path("convention/", views.SignConvention.as_view(), name="sign_convention"),
    path("helios/", views.WriteHelios.as_view(), name="helios"),
    path("helios/signe/", views.SignHelios.as_view(), name="sign_helios"),
    path("etapes/<str:code>/", views.Step.as_view(), name="step"),
    path("etapes/<str:code>/date/", views.DateStep.as_view(), name="date"),
    path("fiches/<str:code>.pdf", views.Sheet.as_view(), name="sheet"),
    path("fichiers/<slug:paper>/<slug:kind>/", views.File.as_view(), name="file"),
]
