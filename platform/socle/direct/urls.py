from django.urls import path

from socle.direct import views

app_name = "direct"
urlpatterns = [
    path("<slug:code>/", views.Link.as_view(), name="link"),
    path("<slug:code>/essayer/", views.Check.as_view(), name="check"),
]
