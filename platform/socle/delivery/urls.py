from django.urls import path

from socle.delivery import views

app_name = "delivery"
urlpatterns = [
    path("", views.Desk.as_view(), name="desk"),
    path("<int:pk>/relancer/", views.Retry.as_view(), name="retry"),
    path("retour/<int:pk>/relire/", views.ReadAgain.as_view(), name="read_again"),
]
