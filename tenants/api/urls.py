"""The addresses of S²LOW, letter for letter, on the host of each commune."""

from django.urls import path

from tenants.api import actes, helios

A, H = "modules/actes/", "modules/helios/"
app_name = "api"
urlpatterns = [
    path("api/test-connexion.php", actes.TestConnection.as_view(), name="test"),
    path(f"{A}actes_transac_create.php", actes.Create.as_view(), name="create"),
    path(f"{A}actes_transac_get_status.php", actes.GetStatus.as_view(), name="status"),
    path(f"{A}actes_transac_cancel.php", actes.Cancel.as_view(), name="cancel"),
    path(f"{A}actes_transac_get_ARActe.php", actes.GetArActe.as_view(), name="ar"),
    path(f"{A}actes_create_pdf.php", actes.CreatePdf.as_view(), name="bordereau"),
    path(f"{A}actes_transac_get_files_list.php", actes.GetFilesList.as_view(), name="files"),
    path(f"{A}actes_download_file.php", actes.DownloadFile.as_view(), name="file"),
    path(f"{A}actes_transac_get_tampon.php", actes.GetTampon.as_view(), name="tampon"),
    path(f"{A}actes_classification_fetch.php", actes.ClassificationFetch.as_view(), name="matters"),
    path(
        f"{A}actes_classification_request.php",
        actes.ClassificationRequest.as_view(),
        name="ask_matters",
    ),
    path(f"{A}api/actes_status.php", actes.Statuses.as_view(), name="labels"),
    path(f"{A}api/number_actes.php", actes.NumberOfActes.as_view(), name="count"),
    path(f"{A}api/list_actes.php", actes.ListActes.as_view(), name="list"),
    path(f"{A}api/list_document_prefecture.php", actes.ListLetters.as_view(), name="letters"),
    path(f"{A}api/document_prefecture_mark_as_read.php", actes.MarkAsRead.as_view(), name="read"),
    path(f"{A}actes_transac_get_document.php", actes.GetDocument.as_view(), name="document"),
    path(f"{H}api/helios_importer_fichier.php", helios.Import.as_view(), name="import"),
    path(f"{H}api/helios_transac_get_status.php", helios.GetStatus.as_view(), name="flow"),
    path(f"{H}helios_download_acquit.php", helios.DownloadAcquit.as_view(), name="acquit"),
    path(f"{H}helios_download_file.php", helios.DownloadFile.as_view(), name="flow_file"),
    path(f"{H}api/helios_get_list.php", helios.ListRetours.as_view(), name="retours"),
    path(f"{H}api/helios_get_retour.php", helios.GetRetour.as_view(), name="retour"),
    path(f"{H}api/helios_change_status.php", helios.TakeRetour.as_view(), name="take_retour"),
]
