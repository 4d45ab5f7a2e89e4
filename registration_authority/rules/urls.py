from django.urls import path

from registration_authority.rules import views

urlpatterns = [
    path("regles/", views.Rules.as_view(), name="rules"),
    path("regles/confirmation/", views.StepUp.as_view(), name="step_up"),
    path("regles/<slug:code>/<slug:kind>/", views.OfferRules.as_view(), name="offer_rules"),
    path("<int:pk>/autres-organismes/", views.Bodies.as_view(), name="bodies"),
]
