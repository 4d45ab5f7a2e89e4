from django.urls import path

from socle.delivery import operator_views, views

app_name = "delivery"
urlpatterns = [
    path("", views.Desk.as_view(), name="desk"),
    path("<int:pk>/relancer/", views.Retry.as_view(), name="retry"),
    path("operateurs/", operator_views.Operators.as_view(), name="operators"),
    path("operateurs/interruption/", operator_views.DeclareWindow.as_view(), name="declare_window"),
    path(
        "operateurs/interruption/<int:pk>/lever/",
        operator_views.EndWindow.as_view(),
        name="end_window",
    ),
    path("operateurs/<str:siren>/", operator_views.Route.as_view(), name="route"),
    path(
        "operateurs/<str:siren>/<slug:protocol>/changer/",
        operator_views.Change.as_view(),
        name="change",
    ),
    path(
        "operateurs/<str:siren>/<slug:protocol>/annuler/",
        operator_views.GiveUpChange.as_view(),
        name="give_up_change",
    ),
    path("retour/<int:pk>/", views.Raw.as_view(), name="raw"),
    path("retour/<int:pk>/relire/", views.ReadAgain.as_view(), name="read_again"),
    path("retour/<int:pk>/confirmer/", views.Confirm.as_view(), name="confirm"),
    path("retour/<int:pk>/ecarter/", views.Dismiss.as_view(), name="dismiss"),
]
