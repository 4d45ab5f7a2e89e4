"""The vault on an object storage (S3 protocol), played by moto."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.utils import timezone
from moto import mock_aws

from socle.documents import actions
from socle.documents import vault as sealing

CONTENT = bytes(range(256)) * 50_000  # more than one part of a multipart upload once sealed


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    stored = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": "socle-vault", "file_overwrite": True, "default_acl": None},
    }
    with mock_aws():
        place = {"LocationConstraint": "eu-west-3"}
        boto3.client("s3").create_bucket(Bucket="socle-vault", CreateBucketConfiguration=place)
        settings.STORAGES = {**settings.STORAGES, "vault": stored}
        yield boto3.resource("s3").Bucket("socle-vault")


def test_a_file_is_kept_sealed_read_back_and_deleted_when_orphan(town: Any, bucket: Any) -> None:
    stored = actions.store(content=CONTENT, name="a.bin", by="Moi", at=timezone.now())

    assert [(blob.key, blob.size) for blob in bucket.objects.all()] == [
        (stored.storage_key, sealing.sealed_size(len(CONTENT)))
    ]
    assert actions.read(stored) == CONTENT

    stored.delete()
    tomorrow = timezone.now() + timedelta(days=1)
    assert actions.delete_orphans(before=tomorrow) == [stored.storage_key]
    assert list(bucket.objects.all()) == []
