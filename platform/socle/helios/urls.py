from django.urls import path

from socle.helios import views

app_name = "helios"
urlpatterns = [
    path("", views.Flows.as_view(), name="list"),
    path("deposer/", views.Deposit.as_view(), name="deposit"),
    path("<int:pk>/", views.Flow.as_view(), name="flow"),
    path("<int:pk>/transmettre/", views.Transmit.as_view(), name="transmit"),
    path("<int:pk>/retirer/", views.Withdraw.as_view(), name="withdraw"),
    path("<int:pk>/traite/", views.Settle.as_view(), name="settle"),
    path("<int:pk>/fichier/", views.Download.as_view(), name="download"),
    path("acquits/<int:pk>/", views.DownloadAcquit.as_view(), name="download_acquit"),
    path("retours/", views.Retours.as_view(), name="retours"),
    path("retours/<int:pk>/", views.DownloadRetour.as_view(), name="download_retour"),
    path("budgets/", views.Budgets.as_view(), name="budgets"),
    path("budgets/ajouter/", views.AddBudget.as_view(), name="add_budget"),
    path("budgets/<int:pk>/", views.EditBudget.as_view(), name="edit_budget"),
]
