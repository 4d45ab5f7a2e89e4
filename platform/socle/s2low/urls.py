from django.urls import path

from socle.s2low import views

app_name = "s2low"
urlpatterns = [
    path("", views.Accounts.as_view(), name="accounts"),
    path("partage/<slug:code>/", views.Shared.as_view(), name="shared"),
    path("<str:siren>/", views.Account.as_view(), name="account"),
    path("<int:pk>/essayer/", views.Check.as_view(), name="check"),
]
