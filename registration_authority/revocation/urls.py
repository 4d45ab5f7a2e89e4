from django.urls import path

from registration_authority.revocation import views

urlpatterns = [
    path("revocations/", views.Requests.as_view(), name="revocations"),
    path("revocations/support/", views.RevokeToken.as_view(), name="revoke_token"),
    path("revocations/<int:pk>/", views.OneRequest.as_view(), name="revocation"),
    path(
        "revocations/<int:pk>/accepter/",
        views.Decide.as_view(does="accept"),
        name="accept_revocation",
    ),
    path(
        "revocations/<int:pk>/refuser/",
        views.Decide.as_view(does="refuse"),
        name="refuse_revocation",
    ),
    path(
        "revocations/<int:pk>/relire/",
        views.Decide.as_view(does="review"),
        name="review_revocation",
    ),
    path("elections/", views.Campaigns.as_view(), name="campaigns"),
    path("elections/nouvelle/", views.OpenCampaign.as_view(), name="open_campaign"),
    path("elections/<int:pk>/", views.Campaign.as_view(), name="campaign"),
    path("elections/<int:pk>/resultats/", views.TellOutcomes.as_view(), name="tell_outcomes"),
    path("elections/<int:pk>/valider/", views.Validate.as_view(), name="validate_outcomes"),
    path("<int:pk>/revoquer/", views.Revoke.as_view(), name="revoke"),
    path("<int:pk>/depart-ou-perte/", views.Happened.as_view(), name="happened"),
    path("<int:pk>/code-de-revocation/", views.GiveCode.as_view(), name="give_code"),
]
