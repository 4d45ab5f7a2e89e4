app_name = "training_commune"
urlpatterns: list[object] = []
