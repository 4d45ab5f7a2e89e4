app_name = "onboarding_commune"
urlpatterns: list[object] = []
