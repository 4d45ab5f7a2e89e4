from django.urls import path

from registration_authority import views
from registration_authority.accreditation import views as accreditation
from registration_authority.dossier import views as dossier
from registration_authority.evidence.urls import urlpatterns as evidence
from registration_authority.revocation.urls import urlpatterns as revocation
from registration_authority.rules.urls import urlpatterns as rules
from registration_authority.service import views as service
from registration_authority.slots import views as slots
from registration_authority.stock import views as stock
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
    path("<int:pk>/signer/", views.SignOnScreen.as_view(), name="sign"),
    path("<int:pk>/attestation/", views.AddAttestation.as_view(), name="add_attestation"),
    path("<int:pk>/attestation.pdf", views.Attestation.as_view(), name="attestation"),
    # The file beyond its states
    path("guichet/", dossier.Desk.as_view(), name="desk"),
    path("<int:pk>/liberer/", dossier.Release.as_view(), name="release"),
    path("<int:pk>/attente/", dossier.Hold.as_view(), name="hold"),
    path("<int:pk>/reprendre/", dossier.Resume.as_view(), name="resume"),
    path("<int:pk>/note/", dossier.AddNote.as_view(), name="add_note"),
    path("<int:pk>/signataire/", dossier.Route.as_view(), name="route"),
    path("mandats/<str:siren>/", dossier.Mandates.as_view(), name="mandates"),
    path("mandats/<str:siren>/inscrire/", dossier.RecordMandate.as_view(), name="record_mandate"),
    path("mandats/<str:siren>/<int:pk>/", dossier.EndMandate.as_view(), name="end_mandate"),
    path("lots/", dossier.Batches.as_view(), name="batches"),
    path("lots/nouveau/", dossier.NewBatch.as_view(), name="new_batch"),
    path("lots/<int:pk>/", dossier.BatchPage.as_view(), name="batch"),
    path("offres/", dossier.Offers.as_view(), name="offers"),
    path("offres/<slug:code>/", dossier.OfferPage.as_view(), name="offer"),
    path("offres/<slug:code>/politique/", dossier.WriteProfile.as_view(), name="write_profile"),
    path("offres/<slug:code>/pieces/<slug:kind>/", dossier.WriteRule.as_view(), name="write_rule"),
    # Accreditations
    path("accreditations/", accreditation.Accreditations.as_view(), name="accreditations"),
    path(
        "accreditations/convention/",
        accreditation.RecordConvention.as_view(),
        name="record_convention",
    ),
    path(
        "accreditations/conventions/<int:pk>",
        accreditation.ConventionDocument.as_view(),
        name="convention",
    ),
    path("accreditations/operateur/", accreditation.NameOperator.as_view(), name="name_operator"),
    path(
        "accreditations/<int:pk>/retirer/",
        accreditation.RemoveOperator.as_view(),
        name="remove_operator",
    ),
    path("accreditations/interdire/", accreditation.Deny.as_view(), name="deny"),
    path(
        "accreditations/interdictions/<int:pk>/lever/",
        accreditation.LiftDenial.as_view(),
        name="lift_denial",
    ),
    # Appointments
    path("agenda/", slots.Agenda.as_view(), name="agenda"),
    path("agenda/ouvrir/", slots.Open.as_view(), name="open_slots"),
    path("agenda/<int:pk>/retirer/", slots.Close.as_view(), name="close_slot"),
    path("agenda/<int:pk>/liste/", slots.Checklist.as_view(), name="checklist"),
    path("<int:pk>/rendez-vous/", slots.Book.as_view(), name="book"),
    path("<int:pk>/rendez-vous/annuler/", slots.Cancel.as_view(), name="cancel_appointment"),
    # Stock
    path("stock/", stock.Stock.as_view(), name="stock"),
    path("stock/lieux/ajouter/", stock.AddLocation.as_view(), name="add_location"),
    path("stock/recevoir/", stock.Receive.as_view(), name="receive_batch"),
    path("stock/inventaire/", stock.CountPage.as_view(), name="count"),
    path("stock/<int:pk>/", stock.TokenPage.as_view(), name="token"),
    path("stock/<int:pk>/deplacer/", stock.Move.as_view(), name="move_token"),
    path("stock/<int:pk>/etat/", stock.ChangeState.as_view(), name="change_token"),
    path("stock/pochettes/", stock.Sleeves.as_view(), name="sleeves"),
    path("stock/pochettes/commencer/", stock.OpenSleeve.as_view(), name="open_sleeve"),
    path("stock/pochettes/<int:pk>/remplir/", stock.FillSleeve.as_view(), name="fill_sleeve"),
    path("stock/pochettes/<int:pk>/envoyer/", stock.SendSleeve.as_view(), name="send_sleeve"),
    # Downstream
    path("autorites-acceptees/", service.Stores.as_view(), name="stores"),
    path("autorites-acceptees/verser/", service.BringStore.as_view(), name="bring_store"),
    path("appairages/<int:pk>/essayer/", service.TryPairing.as_view(), name="try_pairing"),
    path("<int:pk>/ancien/revoquer/", service.RetireFormer.as_view(), name="retire_former"),
]
