"""Accounts: what is given, how it rests, and which one a body transmits with."""

from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_key
from cryptography.x509 import load_pem_x509_certificate as load_certificate
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.core import crypto, tls
from socle.delivery import actions as delivery
from socle.delivery.models import TransmissionOperator
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.models import Entry
from socle.s2low import actions, credentials, policies, queries
from socle.s2low.adapter import S2lowAdapter
from socle.s2low.models import S2lowAccount
from socle.s2low.protocol.outcomes import AccountFault
from tests.people import on_portal, person
from tests.s2low.conftest import Post
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import Account, S2lowServer


@pytest.fixture
def save(server: S2lowServer, operator: TransmissionOperator, ca: Authority, pair: Pair) -> Any:
    """Save an account with a good certificate, changed where the test wants."""

    def save(organisation: Organisation | None, **changes: Any) -> S2lowAccount:
        given = {
            "base_url": server.url,
            "ca_pem": ca.pem,
            "certificate": pair.certificate,
            "key": pair.key,
            **changes,
        }
        return actions.save_account(
            operator=operator,
            organisation=organisation,
            by="tests",
            at=timezone.now(),
            **given,
        )

    return save


def test_secrets_rest_sealed(account: S2lowAccount, pair: Pair) -> None:
    account.refresh_from_db()
    assert b"PRIVATE KEY" not in bytes(account.sealed_key)
    assert credentials.credentials_of(account, None).key.startswith(b"-----BEGIN PRIVATE KEY")
    assert account.certificate_until is not None
    assert account.certificate_subject == "CN=Syndicat mixte"


def test_the_rotation_of_the_master_key_knows_the_secrets() -> None:
    known = {one.field for one in crypto.sealed_columns() if one.model == "s2low.S2lowAccount"}
    assert known == {"sealed_certificate", "sealed_key", "sealed_password"}


def test_a_pkcs12_file_is_a_certificate_and_its_key(save: Any, town: Any, pair: Pair) -> None:
    packed = pkcs12.serialize_key_and_certificates(
        b"s2low",
        load_key(pair.key, None),  # type: ignore[arg-type]
        load_certificate(pair.certificate),
        None,
        BestAvailableEncryption(b"mot de passe"),
    )
    given = {"certificate": packed, "key": b"", "certificate_password": "mot de passe"}
    made = save(town.organisation, **given)
    assert credentials.credentials_of(made, None).certificate == pair.certificate
    with pytest.raises(tls.UnusableCertificate, match="mot de passe"):
        save(town.organisation, **{**given, "certificate_password": "faux"})


@pytest.mark.parametrize(
    "url",
    ["http://s2low.example", "s2low.example", "https://", "https://10.0.0.1", "https://[::1]/"],
)
def test_an_address_that_cannot_be_s2low_is_refused(save: Any, town: Any, url: str) -> None:
    with pytest.raises(policies.WrongAddress):
        save(town.organisation, base_url=url)


@pytest.mark.parametrize(
    ("login", "password"), [("melle", ""), ("", "x"), ("mél", "x"), ("a:b", "x")]
)
def test_a_login_s2low_could_misread_is_refused(
    save: Any, town: Any, login: str, password: str
) -> None:
    with pytest.raises(policies.WrongLogin):
        save(town.organisation, login=login, password=password)


def test_the_key_must_be_the_certificates(save: Any, town: Any, ca: Authority) -> None:
    with pytest.raises(tls.UnusableCertificate, match="n’est pas celle"):
        save(town.organisation, key=ca.client("Autre").key)


def test_the_authority_of_the_server_must_be_a_certificate(save: Any, town: Any) -> None:
    with pytest.raises(tls.UnusableCertificate, match="PEM"):
        save(town.organisation, ca_pem="n'importe quoi")


def test_an_account_without_certificate_needs_a_shared_one(save: Any, town: Any) -> None:
    own = {"base_url": "", "ca_pem": "", "certificate": b"", "key": b""}
    with pytest.raises(policies.IncompleteAccount):
        save(town.organisation, **own)
    with pytest.raises(policies.IncompleteAccount):
        save(town.organisation, **own, login="melle", password="secret-melle")
    assert S2lowAccount.objects.count() == 0


def test_saving_again_keeps_what_is_not_given(save: Any, town: Any) -> None:
    first = save(town.organisation)
    again = save(
        town.organisation, base_url="", ca_pem="", certificate=b"", key=b"", login="m", password="p"
    )
    assert again.pk == first.pk
    assert (again.base_url, again.login) == (first.base_url, "m")
    assert Entry.objects.filter(event="s2low.account_saved").count() == 2


@pytest.fixture
def shared(save: Any, server: S2lowServer, pair: Pair, town: Any, neighbour: Any) -> None:
    """Melle and Celles behind one certificate, told apart by login."""
    server.state.accounts[:] = [
        Account("Melle", pair.fingerprint, "melle", "secret-melle"),
        Account("Celles-sur-Belle", pair.fingerprint, "celles", "secret-celles"),
    ]
    save(None)
    nothing = {"base_url": "", "ca_pem": "", "certificate": b"", "key": b""}
    save(town.organisation, **nothing, login="melle", password="secret-melle")
    save(neighbour.organisation, **nothing, login="celles", password="secret-celles")


def test_two_accounts_on_one_certificate_act_each_for_its_body(
    shared: None, operator: TransmissionOperator, town: Any, neighbour: Any
) -> None:
    for body, authority in ((town, "Melle"), (neighbour, "Celles-sur-Belle")):
        account = queries.account_of(operator, body.organisation)
        assert account is not None
        checked = actions.check_account(account_id=account.pk, by="tests", at=timezone.now())
        assert checked.authority == authority


def test_renewing_the_shared_certificate_is_one_change(
    shared: None, save: Any, operator: TransmissionOperator, town: Any, ca: Authority, server: Any
) -> None:
    renewed = ca.client("Syndicat mixte 2027")
    save(None, certificate=renewed.certificate, key=renewed.key)
    account = queries.account_of(operator, town.organisation)
    assert account is not None
    opened = credentials.credentials_of(account, queries.shared_row(operator))
    assert opened.certificate == renewed.certificate
    assert opened.login == "melle"


def test_the_shared_certificate_transmits_for_nobody(
    save: Any, post: Post, account: S2lowAccount, room: Any
) -> None:
    save(None)
    account.delete()
    post()
    delivery.send_due()
    assert "Aucun compte" in room.refused[0]


def test_an_account_that_does_not_open_says_why(account: S2lowAccount, server: S2lowServer) -> None:
    server.state.accounts.clear()
    with pytest.raises(actions.AccountNotOpen, match="ne reconnaît pas ce compte"):
        actions.check_account(account_id=account.pk, by="tests", at=timezone.now())
    account.refresh_from_db()
    assert list(queries.accounts_in_trouble()) == [account]
    officer = on_portal(person(Role.OFFICER, at=directory.syndicat()))
    home = officer.get("/").content.decode()
    assert "compte S²LOW n’ouvre plus" in home
    assert "/envois/s2low/" in home
    assert account.problem.startswith("S²LOW ne reconnaît pas")


def test_an_account_that_opens_again_has_no_problem(
    account: S2lowAccount, server: S2lowServer, pair: Pair
) -> None:
    actions.note_account(account, "Une difficulté.")
    actions.check_account(account_id=account.pk, by="tests", at=timezone.now())
    account.refresh_from_db()
    assert (account.problem, account.authority) == ("", "Melle")


def test_an_account_that_must_be_told_apart_is_told_among_which(
    account: S2lowAccount, server: S2lowServer, pair: Pair
) -> None:
    server.state.accounts[:] = [
        Account("Melle", pair.fingerprint, "melle", "a"),
        Account("Celles", pair.fingerprint, "celles", "b"),
    ]
    with pytest.raises(actions.AccountNotOpen, match="S²LOW connaît : melle, celles"):
        actions.check_account(account_id=account.pk, by="tests", at=timezone.now())


def test_secrets_that_no_longer_open_are_the_accounts_fault(
    account: S2lowAccount, settings: Any
) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS = bytes(32), None
    with pytest.raises(AccountFault, match="ne s’ouvrent plus"):
        actions.open_client(account, at=timezone.now())


def test_one_account_kept_out_does_not_stop_the_others(
    shared: None, operator: TransmissionOperator, town: Any, server: S2lowServer, room: Any
) -> None:
    server.state.accounts[0] = replace(server.state.accounts[0], password="changé")
    server.state.retours[5] = ("retour.xml", b"<PES_Retour/>")
    assert delivery.collect(operator) == 1
    (kept_out,) = queries.accounts_in_trouble()
    assert kept_out.organisation == town.organisation


def test_accounts_a_round_did_not_reach_come_first_in_the_next(
    shared: None, operator: TransmissionOperator, neighbour: Any, noon: datetime
) -> None:
    first, second = queries.accounts(operator)
    actions.note_call(first, at=noon)
    assert list(queries.accounts(operator)) == [second, first]


def test_the_database_keeps_one_account_each(account: S2lowAccount) -> None:
    with pytest.raises(IntegrityError, match="one_account_each"), transaction.atomic():
        S2lowAccount.objects.create(
            operator=account.operator, organisation=account.organisation, login="a",
            sealed_password=b"b",
        )  # fmt: skip


def test_the_database_keeps_an_address_pinned(account: S2lowAccount) -> None:
    with pytest.raises(IntegrityError, match="address_is_pinned"), transaction.atomic():
        S2lowAccount.objects.filter(pk=account.pk).update(ca_pem="")


@pytest.mark.parametrize(
    ("age", "since", "due"),
    [
        (timedelta(minutes=5), timedelta(seconds=59), False),
        (timedelta(minutes=5), timedelta(seconds=60), True),
        (timedelta(hours=1), timedelta(minutes=4), False),
        (timedelta(hours=1), timedelta(minutes=5), True),
        (timedelta(days=9), timedelta(minutes=119), False),
        (timedelta(days=9), timedelta(hours=2), True),
    ],
)
def test_s2low_is_asked_less_and_less(
    noon: datetime, age: timedelta, since: timedelta, due: bool
) -> None:
    assert policies.is_due(asked_at=noon - age, polled_at=noon - since, at=noon) is due


# The command line


def test_the_command_saves_and_checks_an_account(
    server: S2lowServer,
    operator: TransmissionOperator,
    town: Any,
    ca: Authority,
    pair: Pair,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, content in (("c.pem", pair.certificate), ("k.pem", pair.key)):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "ca.pem").write_text(ca.pem)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")
    said = StringIO()
    call_command(
        "s2low_account",
        "s2low",
        siren=town.organisation.siren,
        url=server.url,
        ca=tmp_path / "ca.pem",
        certificate=tmp_path / "c.pem",
        key=tmp_path / "k.pem",
        check=True,
        stdout=said,
    )
    assert "agit pour « Melle »" in said.getvalue()
    with pytest.raises(CommandError, match="inconnu ici"):
        call_command("s2low_account", "autre", siren=town.organisation.siren)


def test_an_adapter_answers_for_s2low(operator: TransmissionOperator, adapter: Any) -> None:
    assert isinstance(adapter, S2lowAdapter)
