"""The inventory, what authorities say of it, the trusted list, the self-test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from registration_authority.models import Certificate, CertificationAuthority, FileState
from registration_authority.pki.trusted_list import UnreadableTrustedList, read_trusted_list
from registration_authority.revocation import actions as revocations
from registration_authority.revocation.models import RevocationRequest
from registration_authority.watch import actions, queries, self_test, status
from registration_authority.watch.models import Source, Standing, WatchedCertificate
from socle.accounts.capabilities import Role
from socle.accounts.models import LoginCertificate
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from tests.people import in_town, on_portal, person
from tests.registration_authority.counter import NOON, Counter
from tests.registration_authority.test_screens import text
from tests.registration_authority.watch.peers import (
    NOW,
    Signed,
    crl,
    free_port,
    list_server,
    named,
    needs_openssl,
    openssl_ocsp,
    signed,
)
from tests.registration_authority.watch.trusted_lists import trusted_list

CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
POLICY = x509.CertificatePolicies(
    [x509.PolicyInformation(x509.ObjectIdentifier("1.2.250.1.177.2.4.1.6.1"), None)]
)


@pytest.fixture
def officer(portal: Any, syndicat: Any) -> Any:
    """An officer of the counter."""
    return person(Role.RA_OPERATOR, at=syndicat)


@pytest.fixture
def authority(portal: Any) -> Signed:
    """An authority we believe."""
    return believed(signed("AC de confiance", days=3000))


def believed(one: Signed) -> Signed:
    CertificationAuthority.objects.create(
        code=f"ac-{CertificationAuthority.objects.count()}",
        name="AC de confiance",
        adapter="portal",
        certificate_pem=one.pem,
    )
    return one


def watched(content: bytes, by: Any, organisation: Any = None) -> WatchedCertificate:
    return actions.add(
        organisation=organisation,
        source=Source.BROUGHT,
        label="Marchés publics",
        content=content,
        by=by,
        at=NOW,
    )


# Bringing certificates


@pytest.mark.parametrize("kind", ["pem", "cer", "p7b"])
def test_a_certificate_is_brought_as_it_came(officer: Any, authority: Signed, kind: str) -> None:
    leaf = signed("Agent", authority)
    content = {
        "pem": leaf.pem.encode(),
        "cer": leaf.certificate.public_bytes(Encoding.DER),
        "p7b": pkcs7.serialize_certificates(
            [authority.certificate, leaf.certificate], Encoding.DER
        ),
    }[kind]
    found = watched(content, officer)
    assert found.serial == f"{leaf.certificate.serial_number:x}"
    assert found.issuer_pem == authority.pem
    assert Entry.objects.filter(event="ra.certificate_watched").count() == 1


def test_the_same_certificate_is_watched_once_for_a_body(officer: Any, authority: Signed) -> None:
    leaf = signed("Agent", authority)
    first = watched(leaf.pem.encode(), officer)
    with pytest.raises(Refusal, match="déjà suivi"):
        watched(leaf.pem.encode(), officer)
    for _ in range(2):
        actions.remove(watched_id=first.pk, by=officer, at=NOW)
    assert watched(leaf.pem.encode(), officer).pk != first.pk
    assert Entry.objects.filter(event="ra.certificate_unwatched").count() == 1


# What authorities say


@needs_openssl
@pytest.mark.parametrize(("flag", "standing"), [("V", Standing.GOOD), ("R", Standing.REVOKED)])
def test_the_responder_is_asked(
    officer: Any, authority: Signed, tmp_path: Path, flag: str, standing: Standing
) -> None:
    port = free_port()
    leaf = signed("Agent", authority, *named(f"http://127.0.0.1:{port}"))
    found = watched(leaf.pem.encode(), officer)
    lines = {leaf.certificate.serial_number: flag}
    with openssl_ocsp(tmp_path, port, authority, authority, lines):
        checked = actions.check(found.pk, at=datetime.now(UTC))
    expected = {"V": "", "R": "ocsp"}[flag] or checked.checked_with
    assert (checked.standing, checked.checked_with) == (standing, expected)
    if flag == "R":
        assert Entry.objects.filter(event="ra.watched_revoked").count() == 1
        later = actions.check(found.pk, at=NOW + timedelta(hours=1))  # nobody answers any more
        assert later.standing == Standing.REVOKED


@needs_openssl
def test_case_c52_good_for_the_responder_revoked_on_the_list_is_revoked(
    officer: Any, authority: Signed, tmp_path: Path
) -> None:
    port = free_port()
    with list_server() as lists:
        leaf = signed("Agent", authority, *named(f"http://127.0.0.1:{port}", lists.url))
        serial = leaf.certificate.serial_number
        lists.content = crl(authority, serial)
        with openssl_ocsp(tmp_path, port, authority, authority, {serial: "V"}):
            checked = actions.check(watched(leaf.pem.encode(), officer).pk, at=datetime.now(UTC))
    assert (checked.standing, checked.checked_with) == (Standing.REVOKED, "crl")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("old", "plus à jour"), ("forged", "pas signée par l’autorité"), ("noise", "lisible")],
)
def test_case_c51_a_bad_list_says_nothing(
    officer: Any, authority: Signed, fault: str, words: str
) -> None:
    with list_server() as lists:
        leaf = signed("Agent", authority, *named(crl=lists.url))
        lists.content = {
            "old": crl(authority, at=NOW - timedelta(days=30)),  # its nextUpdate is past
            "forged": crl(signed("AC de confiance")),
            "noise": b"bonjour",
        }[fault]
        checked = actions.check(watched(leaf.pem.encode(), officer).pk, at=NOW)
    assert checked.standing == Standing.UNKNOWN
    assert words in checked.trouble


def test_nothing_is_asked_at_the_address_of_an_unknown_authority(
    officer: Any, authority: Signed
) -> None:
    with list_server() as lists:
        forged = signed("Agent", signed("AC de confiance"), *named(lists.url, lists.url))
        checked = actions.check(watched(forged.pem.encode(), officer).pk, at=NOW)
        assert lists.asked == []
    assert "aucune liste de confiance" in checked.trouble


def test_each_certificate_is_asked_about_twice_a_day(officer: Any, authority: Signed) -> None:
    found = watched(signed("Agent", authority).pem.encode(), officer)
    assert actions.to_check(NOW) == [found.pk]
    actions.check(found.pk, at=NOW)
    assert actions.to_check(NOW + timedelta(hours=11)) == []
    assert actions.to_check(NOW + timedelta(hours=13)) == [found.pk]


def test_a_revocation_of_ours_is_seen_at_the_responder(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    held = Certificate.objects.get()
    revocations.ask_as_holder(
        certificate_id=held.pk, reason="keyCompromise", by=counter.holder, at=NOON
    )
    monkeypatch.setattr(status, "ask_responder", lambda *given: status.Said(True, "ocsp"))
    actions.look_for_revocations(at=NOON)
    assert RevocationRequest.objects.get().published_by == "ocsp"


# The end of authorities


def test_case_c53_an_authority_that_ends_before_its_certificates_is_told(
    counter: Counter,
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    assert queries.authorities_that_end_first(NOON) == []
    short = signed("AC courte", days=100)
    CertificationAuthority.objects.update(certificate_pem=short.pem)
    (told,) = queries.authorities_that_end_first(NOON)
    assert (told.outliving, told.not_after) == (1, short.certificate.not_valid_after_utc)
    desk = on_portal(counter.officer)
    assert "autorité de certification finit bientôt" in text(desk.get("/"))
    shown = text(desk.get("/certificats/surveillance/?vue=autorites"))
    assert "AC EXERCICE" in shown


# The trusted list


def test_a_trusted_list_brings_its_authorities(officer: Any) -> None:
    granted, withdrawn = signed("AC en règle"), signed("AC retirée")
    content = trusted_list([(granted, True), (withdrawn, False)], number=6)
    kept = actions.read_list_of_trust(content=content, by=officer, at=NOW)
    assert (kept.territory, kept.number) == ("FR", 6)
    assert kept.signature.startswith("sceau intègre")
    assert [one.status for one in queries.trusted().order_by("subject")] == [
        "granted",
        "withdrawn",
    ]
    leaf = signed("Agent", granted)
    assert watched(leaf.pem.encode(), officer).issuer_pem == granted.pem


def test_an_authority_the_list_names_no_more_is_withdrawn(officer: Any) -> None:
    one, two = signed("AC 1"), signed("AC 2")
    both = trusted_list([(one, True), (two, True)], number=6)
    actions.read_list_of_trust(content=both, by=officer, at=NOW)
    actions.read_list_of_trust(content=trusted_list([(one, True)], number=7), by=officer, at=NOW)
    assert dict(queries.trusted().values_list("subject", "status")) == {
        one.certificate.subject.rfc4514_string(): "granted",
        two.certificate.subject.rfc4514_string(): "withdrawn",
    }
    with pytest.raises(Refusal, match="plus ancien"):
        actions.read_list_of_trust(content=both, by=officer, at=NOW)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.replace(b"granted", b"Granted", 1),
        lambda content: content.replace(b"<SchemeTerritory>FR", b"<SchemeTerritory>BE"),
    ],
)
def test_a_changed_list_is_refused(spoil: Any) -> None:
    content = trusted_list([(signed("AC"), True)], number=6)
    assert read_trusted_list(content)
    with pytest.raises(UnreadableTrustedList, match="sceau"):
        read_trusted_list(spoil(content))


@pytest.mark.parametrize(
    "content",
    [
        b"bonjour",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><TrustServiceStatusList '
        b'xmlns="http://uri.etsi.org/02231/v2#">&b;</TrustServiceStatusList>',
    ],
)
def test_noise_is_no_trusted_list(content: bytes) -> None:
    with pytest.raises(UnreadableTrustedList):
        read_trusted_list(content)


# The self-test


def verdicts(leaf: Signed, who: Any, siren: str) -> dict[str, str]:
    checks = self_test.run(leaf.certificate, person=who, siren=siren, at=NOW)
    return {one.what: one.verdict for one in checks}


@pytest.fixture
def agent(neighbour: Any, portal: Any) -> Any:
    """An agent of the commune."""
    return person(Role.TRANSMITTER, at=neighbour.organisation, email="agent@exemple.fr")


def good(authority: Signed, siren: str, **changes: Any) -> Signed:
    """A certificate with nothing wrong."""
    email = x509.SubjectAlternativeName([x509.RFC822Name("agent@exemple.fr")])
    extensions = changes.pop("extensions", (CLIENT, POLICY, email))
    return signed("Agent", authority, *extensions, units=(f"0002 {siren}",), **changes)


def known(leaf: Signed, who: Any, siren: str) -> None:
    found = leaf.certificate
    LoginCertificate.objects.create(
        person=who,
        siren=siren,
        issuer=found.issuer.rfc4514_string(),
        serial=f"{found.serial_number:x}",
        fingerprint=found.fingerprint(hashes.SHA256()).hex(),
        level="rgs2",
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
    )


def test_a_good_certificate_passes_every_check(
    agent: Any, authority: Signed, neighbour: Any
) -> None:
    siren = neighbour.organisation.siren
    with list_server() as lists:
        lists.content = crl(authority)
        email = x509.SubjectAlternativeName([x509.RFC822Name("agent@exemple.fr")])
        extensions = (CLIENT, POLICY, email, *named(crl=lists.url))
        leaf = good(authority, siren, extensions=extensions)
        known(leaf, agent, siren)
        assert set(verdicts(leaf, agent, siren).values()) == {"success"}


@pytest.mark.parametrize(
    ("fault", "what", "verdict"),
    [
        ({"start": NOW - timedelta(days=999)}, "Dates", "danger"),
        ({"start": NOW + timedelta(days=9)}, "Dates", "danger"),
        ({"extensions": (POLICY,)}, "Usage", "danger"),
        ({"extensions": (CLIENT,)}, "Niveau", "danger"),
        ({"extensions": (CLIENT, POLICY)}, "Adresse électronique", "warning"),
    ],
)
def test_each_fault_is_named(
    agent: Any,
    authority: Signed,
    neighbour: Any,
    fault: dict[str, Any],
    what: str,
    verdict: str,
) -> None:
    siren = neighbour.organisation.siren
    assert verdicts(good(authority, siren, **fault), agent, siren)[what] == verdict


def test_an_unknown_or_ended_authority_is_named(
    agent: Any, authority: Signed, neighbour: Any
) -> None:
    siren = neighbour.organisation.siren
    what = "Autorité qui l’a signé"
    assert verdicts(good(signed("AC inconnue"), siren), agent, siren)[what] == "danger"
    ended = believed(signed("AC finie", start=NOW - timedelta(days=30), days=10))
    assert verdicts(good(ended, siren), agent, siren)[what] == "danger"
    assert verdicts(authority, agent, siren)["Certificat de personne"] == "danger"


def test_somebody_else_s_certificate_or_body_is_named(
    agent: Any, authority: Signed, neighbour: Any, town: Any
) -> None:
    connection.set_schema_to_public()
    siren = neighbour.organisation.siren
    leaf = good(authority, siren)
    assert verdicts(leaf, agent, siren)["Connu de Socle"] == "danger"
    known(leaf, person(Role.TRANSMITTER, at=town.organisation), siren)
    assert verdicts(leaf, agent, siren)["Connu de Socle"] == "danger"
    LoginCertificate.objects.update(person=agent)
    other = town.organisation.siren
    assert verdicts(leaf, agent, other)["Connu de Socle"] == "warning"
    assert verdicts(leaf, agent, other)["Organisme"] == "warning"


# The screens


def upload(content: bytes, name: str = "certificat.cer") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_the_self_test_page_reads_a_file_or_a_paste(
    agent: Any, authority: Signed, neighbour: Any
) -> None:
    browser, page = in_town(neighbour, agent), "/certificats/diagnostic/"
    leaf = good(authority, neighbour.organisation.siren, start=NOW - timedelta(days=999))
    assert "Rien n’est conservé" in text(browser.get(page))
    chosen = text(browser.post(page, {"certificate": upload(leaf.pem.encode())}))
    pasted = text(browser.post(page, {"pasted": leaf.pem}))
    for shown in (chosen, pasted):
        assert "Ce certificat est refusé" in shown
        assert "Il a expiré le" in shown
    assert "Choisissez un fichier" in text(browser.post(page, {}))
    assert "lisible" in text(browser.post(page, {"pasted": "bonjour"}))
    assert not WatchedCertificate.objects.exists()


def test_the_self_test_leads_nowhere_its_reader_may_not_go(agent: Any, neighbour: Any) -> None:
    reader = in_town(neighbour, person(Role.PREPARER, at=neighbour.organisation))
    assert reader.get("/certificats/").status_code == 403
    mine = 'href="/certificats/"'
    assert mine not in text(reader.get("/certificats/diagnostic/")).split("<main", 1)[1]
    assert mine in text(in_town(neighbour, agent).get("/certificats/diagnostic/"))


def test_a_private_key_is_sent_back(agent: Any, authority: Signed, neighbour: Any) -> None:
    leaf = signed("Agent", authority)
    content = leaf.pem.encode() + leaf.key_pem
    shown = text(
        in_town(neighbour, agent).post("/certificats/diagnostic/", {"pasted": content.decode()})
    )
    assert "clé privée" in shown


def test_a_commune_brings_and_sees_its_own(
    agent: Any, authority: Signed, neighbour: Any, town: Any
) -> None:
    connection.set_schema_to_public()
    browser = in_town(neighbour, agent)
    leaf = signed("Agent", authority)
    given = {"label": "Plateforme Atexo", "certificate": upload(leaf.pem.encode())}
    browser.post("/certificats/suivis/ajouter/", given)
    assert "Plateforme Atexo" in text(browser.get("/certificats/suivis/"))
    other = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert "Plateforme Atexo" not in text(other.get("/certificats/suivis/"))


def test_the_watch_at_the_counter(officer: Any, authority: Signed, neighbour: Any) -> None:
    desk, address = on_portal(officer), "/certificats/surveillance/"
    leaf = signed("Site", authority, days=20)
    given = {
        "source": "site",
        "label": "Site de la commune",
        "siren": neighbour.organisation.siren,
        "certificate": upload(leaf.pem.encode()),
    }
    assert "Aucun organisme" in text(desk.post(f"{address}ajouter/", given | {"siren": "1"}))
    given["certificate"] = upload(leaf.pem.encode())
    desk.post(f"{address}ajouter/", given)
    found = WatchedCertificate.objects.get()
    assert found.organisation == neighbour.organisation
    for view in ("", "alertes", "liaisons", "autorites", "confiance"):
        assert "Surveillance" in text(desk.get(f"{address}?vue={view}"))
    assert "Site de la commune" in text(desk.get(f"{address}?vue=alertes"))
    assert "certificat suivi à remplacer" in text(desk.get("/")).replace("\n", " ")
    desk.post(f"{address}{found.pk}/")
    desk.post(f"{address}{found.pk}/", {"retirer": "1"})
    found.refresh_from_db()
    assert found.removed_at is not None
    listed = trusted_list([(signed("AC en règle"), True)], number=6)
    desk.post(f"{address}confiance/", {"trusted_list": upload(listed, "tl-fr.xml")})
    assert "AC en règle" in text(desk.get(f"{address}?vue=confiance"))


def test_the_inventory_costs_the_same_however_long(
    officer: Any, authority: Signed, django_assert_max_num_queries: Any
) -> None:
    desk = on_portal(officer)
    for number in range(12):
        watched(signed(f"Agent {number}", authority).pem.encode(), officer)
    with django_assert_max_num_queries(22):
        desk.get("/certificats/surveillance/")
