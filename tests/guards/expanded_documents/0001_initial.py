import importlib

Migration = importlib.import_module("socle.documents.migrations.0001_initial").Migration
