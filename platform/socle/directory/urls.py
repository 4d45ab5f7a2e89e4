from django.urls import path

from socle.directory import views

app_name = "directory"
urlpatterns = [
    path("", views.Members.as_view(), name="members"),
    path("importer/", views.Import.as_view(), name="import"),
    path("<str:siren>/", views.Detail.as_view(), name="detail"),
    path("<str:siren>/modifier/", views.Edit.as_view(), name="edit"),
    path("<str:siren>/contacts/", views.AddContact.as_view(), name="add_contact"),
    path("<str:siren>/membres/", views.Join.as_view(), name="join"),
    path("<str:siren>/habilitations/", views.GrantRoles.as_view(), name="grant"),
]
