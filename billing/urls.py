from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("", views.ToBill.as_view(), name="to_bill"),
    path("relever/", views.Collect.as_view(), name="collect"),
    path("preparer/", views.Prepare.as_view(), name="prepare"),
    path("brouillons/", views.Drafts.as_view(), name="drafts"),
    path("brouillons/emettre/", views.IssueTicked.as_view(), name="issue_ticked"),
    path("factures/", views.Issued.as_view(), name="issued"),
    path("factures/export.csv", views.Export.as_view(), name="export"),
    path("factures/<int:pk>/", views.Detail.as_view(), name="invoice"),
    path("factures/<int:pk>/facture.pdf", views.Paper.as_view(), name="paper"),
    path("factures/<int:pk>/lignes/", views.AddLine.as_view(), name="add_line"),
    path("factures/<int:pk>/references/", views.Refer.as_view(), name="refer"),
    path("factures/<int:pk>/supprimer/", views.Discard.as_view(), name="discard"),
    path("factures/<int:pk>/emettre/", views.Issue.as_view(), name="issue"),
    path("factures/<int:pk>/avoir/", views.Credit.as_view(), name="credit"),
    path("lignes/<int:pk>/retirer/", views.RemoveLine.as_view(), name="remove_line"),
    path("tarifs/", views.Prices.as_view(), name="prices"),
    path("tarifs/nouveau/", views.NewPrice.as_view(), name="new_price"),
    path("tarifs/<int:pk>/", views.RevisePrice.as_view(), name="price"),
]
