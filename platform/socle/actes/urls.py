from django.urls import path

from socle.actes import batch_views, budget_views, export_views, letter_views, register_views, views

app_name = "actes"
urlpatterns = [
    path("", views.Acts.as_view(), name="list"),
    path("deposer/", views.Deposit.as_view(), name="deposit"),
    path("budget/", budget_views.NewBudget.as_view(), name="budget"),
    path("lots/", batch_views.NewBatch.as_view(), name="batch_new"),
    path("lots/<int:pk>/", batch_views.BatchPage.as_view(), name="batch"),
    path("reglages/", batch_views.Habits.as_view(), name="habits"),
    path("courriers/", letter_views.Letters.as_view(), name="letters"),
    path("courriers/<int:pk>/", letter_views.LetterPage.as_view(), name="letter"),
    path("courriers/<int:pk>/lu/", letter_views.MarkRead.as_view(), name="letter_read"),
    path("courriers/<int:pk>/courriel/", letter_views.Mail.as_view(), name="letter_mail"),
    path(
        "courriers/<int:pk>/documents/<int:file>/",
        letter_views.Paper.as_view(),
        name="letter_file",
    ),
    path(
        "courriers/<int:pk>/repondre/<str:kind>/", letter_views.Reply.as_view(), name="letter_reply"
    ),
    path(
        "courriers/<int:pk>/reponse/<int:file>/",
        letter_views.ReplyFile.as_view(),
        name="reply_file",
    ),
    path("courriers/<int:pk>/transmettre/", letter_views.Send.as_view(), name="reply_send"),
    path("courriers/<int:pk>/abandonner/", letter_views.Drop.as_view(), name="reply_drop"),
    path("registre/", register_views.Register.as_view(), name="register"),
    path("registre/deliberations.csv", register_views.Scdl.as_view(), name="scdl"),
    path("registre/<int:pk>/", register_views.Posted.as_view(), name="posted"),
    path("registre/<int:pk>/<int:file>/", register_views.PostedFile.as_view(), name="posted_file"),
    path("<int:pk>/publier/", register_views.Post.as_view(), name="post"),
    path("<int:pk>/retirer/", register_views.Withdraw.as_view(), name="withdraw"),
    path("export.csv", export_views.Export.as_view(), name="export"),
    path("export-zip/", export_views.AskBundle.as_view(), name="bundle_ask"),
    path("export-zip/<int:pk>/", export_views.BundlePage.as_view(), name="bundle"),
    path("export-zip/<int:pk>/fichier/", export_views.BundleFile.as_view(), name="bundle_file"),
    path("statistiques/", export_views.Statistics.as_view(), name="statistics"),
    path("<int:pk>/", views.ActPage.as_view(), name="act"),
    path("<int:pk>/modifier/", views.Edit.as_view(), name="edit"),
    path("<int:pk>/verifier/", views.Check.as_view(), name="check"),
    path("<int:pk>/transmettre/", views.Transmit.as_view(), name="transmit"),
    path("<int:pk>/supprimer/", views.Discard.as_view(), name="discard"),
    path("<int:pk>/reprendre/", views.TakeBack.as_view(), name="take_back"),
    path("<int:pk>/annuler/", views.Cancel.as_view(), name="cancel"),
    path("<int:pk>/publication/", views.Publication.as_view(), name="publication"),
    path("<int:pk>/dupliquer/", views.Duplicate.as_view(), name="duplicate"),
    path("<int:pk>/corriger/", views.Correct.as_view(), name="correct"),
    path("<int:pk>/fichiers/<int:file>/", views.Original.as_view(), name="file"),
    path("<int:pk>/fichiers/<int:file>/tamponne/", views.Stamped.as_view(), name="stamped"),
    path("<int:pk>/bordereau/", views.Bordereau.as_view(), name="bordereau"),
    path("<int:pk>/messages/<int:message>/", views.MessageFile.as_view(), name="message"),
]
