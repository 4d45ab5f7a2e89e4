app_name = "registration_authority"
urlpatterns: list[object] = []
