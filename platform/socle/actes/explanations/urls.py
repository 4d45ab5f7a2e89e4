from django.urls import path

from socle.actes.explanations import views

app_name = "explanations"
urlpatterns = [
    path("", views.Texts.as_view(), name="list"),
    path("nouveau/", views.Write.as_view(), name="new"),
    path("<str:code>/", views.Write.as_view(), name="write"),
    path("<str:code>/origine/", views.Reset.as_view(), name="reset"),
]
