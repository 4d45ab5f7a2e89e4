from django.urls import path

from tenants.onboarding.views import portal as views

app_name = "onboarding"
urlpatterns = [
    path("", views.Cases.as_view(), name="cases"),
    path("ouvrir/", views.Open.as_view(), name="open"),
    path("ouvrir/groupement/", views.OpenAll.as_view(), name="open_all"),
    path("ouvertures/<int:pk>/", views.Batch.as_view(), name="batch"),
    path("<int:pk>/", views.Case.as_view(), name="case"),
    path("<int:pk>/clore/", views.Close.as_view(), name="close"),
    path("<int:pk>/tarif/", views.Propose.as_view(), name="propose"),
    path("<int:pk>/tarif/accepter/", views.AcceptTariff.as_view(), name="accept"),
    path("<int:pk>/operateur/", views.ChooseOperator.as_view(), name="operator"),
    path("<int:pk>/deliberation/", views.WriteDeliberation.as_view(), name="deliberation"),
    path(
        "<int:pk>/deliberation/signee/", views.SignDeliberation.as_view(), name="sign_deliberation"
    ),
    path("<int:pk>/deliberation/transmission/", views.Transmission.as_view(), name="transmission"),
    path("<int:pk>/contrat/", views.DrawUpContract.as_view(), name="draw_up_contract"),
    path("<int:pk>/contrat/signe/", views.SignContract.as_view(), name="sign_contract"),
    path("<int:pk>/contrat/contresigne/", views.Countersign.as_view(), name="countersign"),
    path("<int:pk>/convention/", views.Prepare.as_view(), name="prepare"),
    path("<int:pk>/convention/signee/", views.SignConvention.as_view(), name="sign_convention"),
    path("<int:pk>/convention/envoi/", views.Send.as_view(), name="send"),
    path("<int:pk>/convention/retour/", views.TakeBack.as_view(), name="take_back"),
    path("<int:pk>/convention/prefet/", views.Prefet.as_view(), name="prefet"),
    path("<int:pk>/convention/exemplaire/", views.Copy.as_view(), name="copy"),
    path("<int:pk>/convention/suspendre/", views.Suspend.as_view(), name="suspend"),
    path("<int:pk>/convention/retablir/", views.Resume.as_view(), name="resume"),
    path("<int:pk>/convention/renoncer/", views.Renounce.as_view(), name="renounce"),
    path("<int:pk>/helios/", views.WriteHelios.as_view(), name="helios"),
    path("<int:pk>/helios/accord/", views.Agreement.as_view(), name="agreement"),
    path("<int:pk>/helios/formulaire/", views.DrawUpHelios.as_view(), name="draw_up_helios"),
    path("<int:pk>/helios/signe/", views.SignHelios.as_view(), name="sign_helios"),
    path("<int:pk>/helios/reception/", views.Receive.as_view(), name="receive"),
    path("<int:pk>/etapes/<str:code>/", views.Step.as_view(), name="step"),
    path("<int:pk>/etapes/<str:code>/date/", views.DateStep.as_view(), name="date"),
    path("<int:pk>/etapes/<str:code>/bloquer/", views.Block.as_view(), name="block"),
    path("<int:pk>/etapes/<str:code>/debloquer/", views.Unblock.as_view(), name="unblock"),
    path("<int:pk>/etapes/<str:code>/sans-objet/", views.SetAside.as_view(), name="set_aside"),
    path("<int:pk>/etapes/<str:code>/reprendre/", views.TakeUp.as_view(), name="take_up"),
    path("<int:pk>/fiches/<str:code>.pdf", views.Sheet.as_view(), name="sheet"),
    path("<int:pk>/fichiers/<slug:paper>/<slug:kind>/", views.File.as_view(), name="file"),
]
