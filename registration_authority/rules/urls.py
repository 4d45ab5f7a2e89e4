from django.urls import path, re_path

from registration_authority.rules import views

urlpatterns = [
    path("regles/", views.Rules.as_view(), name="rules"),
    path("regles/confirmation/", views.StepUp.as_view(), name="step_up"),
    re_path(
        r"^regles/(?P<code>[-\w]+)/(?P<kind>revocation|conservation|prix)/$",
        views.OfferRules.as_view(),
        name="offer_rules",
    ),
    path("<int:pk>/autres-organismes/", views.Bodies.as_view(), name="bodies"),
]
