from django.urls import path

from tenants.life import views

app_name = "life"
urlpatterns = [
    path("", views.Spaces.as_view(), name="spaces"),
    path("archives/<int:pk>/", views.Fetch.as_view(), name="fetch"),
    path("destructions/<int:pk>/confirmer/", views.Confirm.as_view(), name="confirm"),
    path("destructions/<int:pk>/annuler/", views.Cancel.as_view(), name="cancel"),
    path("destructions/<int:pk>/certificat/", views.Certificate.as_view(), name="certificate"),
    path("<str:siren>/", views.OneSpace.as_view(), name="space"),
    path("<str:siren>/suspendre/", views.Suspend.as_view(), name="suspend"),
    path("<str:siren>/rouvrir/", views.Resume.as_view(), name="resume"),
    path("<str:siren>/archiver/", views.Ask.as_view(), name="archive"),
    path("<str:siren>/detruire/", views.Destroy.as_view(), name="destroy"),
]
