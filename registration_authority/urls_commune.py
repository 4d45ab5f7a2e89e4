from django.urls import path

from registration_authority import views_commune as views
from registration_authority.revocation import views_commune as revocation
from registration_authority.watch import views_commune as watch

app_name = "certificates"
urlpatterns = [
    path("", views.Mine.as_view(), name="mine"),
    path("<int:pk>/pieces/<slug:kind>/", views.DepositPiece.as_view(), name="deposit_piece"),
    path("<int:pk>/envoyer/", views.Submit.as_view(), name="submit"),
    path("<int:pk>/demande/", views.DepositRequest.as_view(), name="deposit_request"),
    path("<int:pk>/certificat.pem", views.OwnPem.as_view(), name="pem"),
    path("<int:pk>/revoquer/", views.RevokeOwn.as_view(), name="revoke"),
    path("<int:pk>/rendez-vous/", views.Book.as_view(), name="book"),
    path(
        "<int:pk>/rendez-vous/annuler/",
        views.CancelAppointment.as_view(),
        name="cancel_appointment",
    ),
    path("<int:pk>/recu/", views.Acknowledge.as_view(), name="acknowledge"),
    path("confies/<int:pk>/", views.Entrusted.as_view(), name="entrusted"),
    path("confies/<int:pk>/recevoir/", views.ReceiveEntrusted.as_view(), name="receive"),
    path("<int:pk>/code/", revocation.OwnCode.as_view(), name="code"),
    path("commune/", revocation.OfTheBody.as_view(), name="body"),
    path("commune/<int:pk>/revoquer/", revocation.RevokeOfTheBody.as_view(), name="revoke_body"),
    path("diagnostic/", watch.SelfTest.as_view(), name="self_test"),
    path("suivis/", watch.Watched.as_view(), name="watched"),
    path("suivis/ajouter/", watch.Add.as_view(), name="watch"),
]
