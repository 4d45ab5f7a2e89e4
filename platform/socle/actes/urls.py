from django.urls import path

from socle.actes import views

app_name = "actes"
urlpatterns = [
    path("", views.Acts.as_view(), name="list"),
    path("deposer/", views.Deposit.as_view(), name="deposit"),
    path("<int:pk>/", views.ActPage.as_view(), name="act"),
    path("<int:pk>/modifier/", views.Edit.as_view(), name="edit"),
    path("<int:pk>/verifier/", views.Check.as_view(), name="check"),
    path("<int:pk>/transmettre/", views.Transmit.as_view(), name="transmit"),
    path("<int:pk>/supprimer/", views.Discard.as_view(), name="discard"),
    path("<int:pk>/reprendre/", views.TakeBack.as_view(), name="take_back"),
    path("<int:pk>/annuler/", views.Cancel.as_view(), name="cancel"),
    path("<int:pk>/publication/", views.Publication.as_view(), name="publication"),
    path("<int:pk>/corriger/", views.Correct.as_view(), name="correct"),
    path("<int:pk>/fichiers/<int:file>/", views.Original.as_view(), name="file"),
    path("<int:pk>/fichiers/<int:file>/tamponne/", views.Stamped.as_view(), name="stamped"),
    path("<int:pk>/bordereau/", views.Bordereau.as_view(), name="bordereau"),
    path("<int:pk>/messages/<int:message>/", views.MessageFile.as_view(), name="message"),
]
