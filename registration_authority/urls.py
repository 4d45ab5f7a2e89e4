from django.urls import path

from registration_authority import views
from registration_authority.evidence.urls import urlpatterns as evidence
from registration_authority.revocation.urls import urlpatterns as revocation
from registration_authority.rules.urls import urlpatterns as rules
from registration_authority.watch.urls import urlpatterns as watch

app_name = "registration_authority"
urlpatterns = [
    *revocation,
    *watch,
    *evidence,
    *rules,
    path("", views.Files.as_view(), name="files"),
    path("nouveau/", views.New.as_view(), name="new"),
    path("inventaire/", views.Inventory.as_view(), name="inventory"),
    path("renouvellements/", views.Renewals.as_view(), name="renewals"),
    path("chiffres/", views.Figures.as_view(), name="figures"),
    path("renouvellements/<int:pk>/ouvrir/", views.OpenRenewal.as_view(), name="open_renewal"),
    path("renouvellements/<int:pk>/taire/", views.MuteRenewal.as_view(), name="mute_renewal"),
    path(
        "<int:pk>/sans-face-a-face/",
        views.CarryFaceToFace.as_view(),
        name="carry_face_to_face",
    ),
    path("autorites/", views.RevocationLists.as_view(), name="lists"),
    path("autorites/<slug:code>/liste/", views.BringList.as_view(), name="bring_list"),
    path("autorites/<slug:code>.crl", views.RevocationList.as_view(), name="crl"),
    path("pieces/<int:pk>/", views.CheckPiece.as_view(), name="piece"),
    path("pieces/<int:pk>/refuser/", views.RefusePiece.as_view(), name="refuse_piece"),
    path("pieces/<int:pk>/fichier", views.PieceContent.as_view(), name="piece_content"),
    path("<int:pk>/", views.FilePage.as_view(), name="file"),
    path("<int:pk>/prendre/", views.Take.as_view(), name="take"),
    path("<int:pk>/pieces/<slug:kind>/", views.DepositPiece.as_view(), name="deposit_piece"),
    path("<int:pk>/envoyer/", views.Submit.as_view(), name="submit"),
    path("<int:pk>/face-a-face/", views.Receive.as_view(), name="receive"),
    path("<int:pk>/demande/", views.DepositRequest.as_view(), name="deposit_request"),
    path("<int:pk>/etablir/", views.Issue.as_view(), name="issue"),
    path("<int:pk>/demande.zip", views.ExportRequest.as_view(), name="export_request"),
    path(
        "<int:pk>/certificat-recu/", views.DepositCertificate.as_view(), name="deposit_certificate"
    ),
    path("<int:pk>/proces-verbal/", views.Prepare.as_view(), name="prepare"),
    path("<int:pk>/proces-verbal.pdf", views.Receipt.as_view(), name="receipt"),
    path("<int:pk>/proces-verbal-signe/", views.AddScan.as_view(), name="add_scan"),
    path("<int:pk>/proces-verbal-signe/fichier", views.Scan.as_view(), name="scan"),
    path("<int:pk>/remise/", views.HandOverPage.as_view(), name="hand_over"),
    path("<int:pk>/refus-du-contenu/", views.Decline.as_view(), name="decline"),
    path("<int:pk>/clore/", views.Close.as_view(), name="close"),
    path("<int:pk>/certificat.pem", views.CertificatePem.as_view(), name="pem"),
]
