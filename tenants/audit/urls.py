from django.urls import path

from tenants.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.Journal.as_view(), name="journal"),
    path("cloisonnement/", views.Fences.as_view(), name="fences"),
    path("cloisonnement/<str:schema>/", views.Fence.as_view(), name="fence"),
    path("exports/", views.Exports.as_view(), name="exports"),
    path("exports/<str:schema>/", views.Export.as_view(), name="export"),
]
