from django.urls import path

from registration_authority.watch import views

urlpatterns = [
    path("surveillance/", views.Watch.as_view(), name="watch"),
    path("surveillance/ajouter/", views.Add.as_view(), name="add_watched"),
    path("surveillance/<int:pk>/", views.OneWatched.as_view(), name="watched"),
    path("surveillance/confiance/", views.ReadTrustedList.as_view(), name="trusted_list"),
]
