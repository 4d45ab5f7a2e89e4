"""What each person sees and does at the counter and in her commune."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import set_urlconf
from django.utils import timezone

from registration_authority import actions, todos
from registration_authority.dossier.profiles import required_kinds
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
    Piece,
    PieceKind,
    PieceState,
    RequestState,
    RevocationReason,
)
from socle.accounts.capabilities import Role
from socle.accounts.models import LoginCertificate
from socle.directory.models import Grant, Organisation
from socle.journal.models import Entry
from tests.people import Browser, in_town, on_portal, person
from tests.registration_authority.counter import NEXT_YEAR, NOON, PDF, Counter, open_counter
from tests.registration_authority.holder_keys import request_pem

PORTAL = "/certificats/"


@pytest.fixture
def desk(counter: Counter) -> Browser:
    """The operator's browser on the portal."""
    return on_portal(counter.officer)


@pytest.fixture
def home(counter: Counter, neighbour: Any) -> Browser:
    """The holder's browser in her commune."""
    return in_town(neighbour, counter.holder)


def page(counter: Counter) -> str:
    """The address of the file."""
    return f"{PORTAL}{counter.file.pk}/"


def text(response: Any) -> str:
    """The HTML of a page that was served."""
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def upload(name: str = "piece.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    """A file chosen in a form."""
    return SimpleUploadedFile(name, content)


def many_files(counter: Counter, syndicat: Any, count: int) -> None:
    """As many open files in as many communes."""
    bodies = Organisation.objects.exclude(pk=counter.organisation.pk).filter(kind="commune")
    for body in bodies[:count]:
        open_counter(body, syndicat)


# The list


def test_the_list_says_the_next_step(desk: Browser, counter: Counter) -> None:
    counter.submit()
    shown = text(desk.get(PORTAL))
    assert "Hélène Épinay" in shown
    assert "Vérifier 4 pièces" in shown


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("epinay", False),
        ("Épinay", True),
        ("celles sur belle", True),
        ("Épinay Celles", True),
        ("Épinay Melle", False),
        ("200083897", True),
    ],
)
def test_the_list_is_searched_by_commune_and_person(desk: Browser, words: str, found: bool) -> None:
    shown = text(desk.get(PORTAL, {"q": words}))
    assert ("Hélène Épinay" in shown) is found


def test_the_list_is_filtered_by_state(desk: Browser, counter: Counter) -> None:
    assert "Hélène Épinay" in text(desk.get(PORTAL, {"etat": "draft"}))
    assert "Aucun dossier ici" in text(desk.get(PORTAL, {"etat": "issued"}))
    counter.bring_to(FileState.HANDED_OVER)
    assert "Hélène Épinay" not in text(desk.get(PORTAL))
    assert "Hélène Épinay" in text(desk.get(PORTAL, {"etat": "clos"}))


@pytest.mark.parametrize("address", [PORTAL, f"{PORTAL}inventaire/"])
def test_case_c70_a_list_costs_the_same_however_long(
    desk: Browser,
    counter: Counter,
    syndicat: Any,
    address: str,
    django_assert_max_num_queries: Any,
) -> None:
    many_files(counter, syndicat, 26)
    counter.bring_to(FileState.HANDED_OVER)
    desk.get(address)  # the host is now remembered, as it is all day
    with django_assert_max_num_queries(12):
        desk.get(address)


def test_a_long_list_is_paged(desk: Browser, counter: Counter, syndicat: Any) -> None:
    many_files(counter, syndicat, 26)
    assert "Page 1 sur 2" in " ".join(text(desk.get(PORTAL)).split()).replace("\xa0", " ")


# Opening a file


def test_a_file_is_opened_from_the_commune_to_the_person(
    desk: Browser, counter: Counter, town: Any
) -> None:
    connection.set_schema_to_public()
    who = person(Role.SIGNATORY, at=town.organisation, last_name="Guérin", function="Maire")
    found = text(desk.get(f"{PORTAL}nouveau/", {"q": "melle"}))
    assert "?commune=200081511" in found
    address = f"{PORTAL}nouveau/?commune=200081511"
    assert "Guérin" in text(desk.get(address))
    offer = counter.file.offer
    response = desk.post(address, {"holder": who.pk, "function": "Maire", "offer": offer.pk})
    opened = CertificateFile.objects.get(holder=who)
    assert response["Location"] == f"{PORTAL}{opened.pk}/"


def test_a_commune_without_anyone_granted_says_what_to_do(desk: Browser) -> None:
    lezay = Organisation.objects.get(name="Lezay")
    shown = text(desk.get(f"{PORTAL}nouveau/?commune={lezay.siren}"))
    assert "Personne n’est encore télétransmetteur" in shown


def test_a_second_file_is_refused_on_the_form_and_in_the_journal(
    desk: Browser, counter: Counter
) -> None:
    given = {"holder": counter.holder.pk, "function": "x", "offer": counter.file.offer.pk}
    address = f"{PORTAL}nouveau/?commune={counter.organisation.siren}"
    assert "Un dossier est déjà ouvert" in text(desk.post(address, given))
    assert Entry.objects.filter(event="refused.open_file").count() == 1


# The page of a file, all along its path


def test_the_counter_serves_a_file_from_end_to_end(
    desk: Browser, counter: Counter, django_capture_on_commit_callbacks: Any
) -> None:
    address = page(counter)
    for kind in required_kinds(counter.file):
        desk.post(f"{address}pieces/{kind.value}/", {"piece": upload()})
    assert "Envoyer à la vérification" in text(desk.get(address))
    desk.post(f"{address}envoyer/")
    for piece in Piece.objects.all():
        assert f"{PORTAL}pieces/{piece.pk}/" in text(desk.get(address))
        until = timezone.now().date() + timedelta(days=400)
        desk.post(f"{PORTAL}pieces/{piece.pk}/", {"expires_on": until})
    assert "Recevoir la personne" in text(desk.get(address))
    desk.post(f"{address}face-a-face/", face_to_face())
    assert "Déposer la demande" in text(desk.get(address))
    desk.post(f"{address}demande/", {"csr": upload("demande.csr", request_pem())})
    with django_capture_on_commit_callbacks() as queued:
        desk.post(f"{address}etablir/")
    assert len(queued) == 1
    assert "rechargez la page" in text(desk.get(address))
    request_row = counter.file.requests.get(state=RequestState.APPROVED)
    actions.issue_now(request_row.pk, at=timezone.now())
    assert "Préparer le procès-verbal" in text(desk.get(address))
    desk.post(f"{address}proces-verbal/", {"place": "Celles", "token_serial": "TK-9"})
    paper = desk.get(f"{address}proces-verbal.pdf")
    assert b"".join(paper.streaming_content).startswith(b"%PDF")
    desk.post(f"{address}remise/", {"signed": "on", "accepted": "on", "scan": upload("pv.pdf")})
    shown = text(desk.get(address))
    assert "Remis" in shown
    assert "Procès-verbal signé" in shown
    assert LoginCertificate.objects.get().person == counter.holder


def face_to_face(**changes: Any) -> dict[str, Any]:
    """What the officer types after the meeting."""
    now = timezone.localtime()
    given = {
        "held_at": now.strftime("%Y-%m-%dT%H:%M"),
        "place": "Mairie de Celles-sur-Belle",
        "document_kind": "cni",
        "document_number": "X4RTBPFW4",
        "document_expires_on": (now.date() + timedelta(days=400)).isoformat(),
        "recognised": "on",
    }
    return given | changes


@pytest.mark.parametrize(
    "state", [state for state in FileState if state not in ("refused", "cancelled")]
)
def test_the_page_of_a_file_stays_cheap(
    desk: Browser,
    counter: Counter,
    state: FileState,
    django_assert_max_num_queries: Any,
) -> None:
    counter.bring_to(state)
    desk.get(page(counter))
    with django_assert_max_num_queries(18):
        assert desk.get(page(counter)).status_code == 200


def test_an_expired_document_is_refused_on_its_field(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    past = face_to_face(document_expires_on="2020-01-01")
    shown = text(desk.post(f"{page(counter)}face-a-face/", past))
    assert "a expiré le 01/01/2020" in shown
    assert counter.state == FileState.PIECES_CHECKED


def test_a_truncated_request_is_refused_with_what_to_do(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    half = upload("demande.der", request_pem()[:80])
    shown = text(desk.post(f"{page(counter)}demande/", {"csr": half}))
    assert "refaites l’export" in shown
    assert Entry.objects.filter(event="refused.deposit_request").count() == 1


def test_a_piece_that_is_no_pdf_is_refused_by_its_content(desk: Browser, counter: Counter) -> None:
    fake = upload("cni.pdf", b"MZ\x90\x00 programme")
    shown = text(desk.post(f"{page(counter)}pieces/identity/", {"piece": fake}))
    assert "format inconnu" in shown
    assert not Piece.objects.exists()


def test_an_empty_piece_is_refused(desk: Browser, counter: Counter) -> None:
    shown = text(desk.post(f"{page(counter)}pieces/identity/", {"piece": upload(content=b"")}))
    assert "vide" in shown
    assert not Piece.objects.exists()


def test_a_refused_piece_tells_its_reason_to_the_commune(
    desk: Browser, home: Browser, counter: Counter
) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.FUNCTION)
    desk.post(f"{PORTAL}pieces/{piece.pk}/refuser/", {"reason": "L’arrêté est illisible."})
    shown = text(home.get(PORTAL))
    assert "L’arrêté est illisible." in shown
    assert "Remplacer" in shown


def test_a_reason_with_a_pin_is_refused_on_its_field(desk: Browser, counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.FUNCTION)
    shown = text(desk.post(f"{PORTAL}pieces/{piece.pk}/refuser/", {"reason": "code PIN 1234"}))
    assert "code PIN ou PUK" in shown
    assert not Entry.objects.filter(detail__sentence__contains="1234").exists()


def test_opening_a_piece_is_journalled_before_it_leaves(
    desk: Browser, counter: Counter, neighbour: Any
) -> None:
    piece = counter.deposit(PieceKind.IDENTITY)
    response = desk.get(f"{PORTAL}pieces/{piece.pk}/fichier")
    assert response.content.startswith(b"%PDF")
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.piece_read").exists()
    connection.set_schema_to_public()


def test_an_operator_sees_that_her_own_file_is_not_hers_to_serve(
    counter: Counter, syndicat: Any
) -> None:
    counter.submit()
    Grant.objects.create(
        person=counter.holder,
        organisation=syndicat,
        roles=[Role.RA_OPERATOR],
        starts_on=date(2026, 1, 1),
    )
    desk = on_portal(counter.holder)
    shown = text(desk.get(page(counter)))
    assert "Ce dossier est le vôtre" in shown
    assert "/refuser/" not in shown
    desk.post(f"{page(counter)}prendre/")
    counter.file.refresh_from_db()
    assert counter.file.assigned_to == counter.officer
    assert Entry.objects.filter(event="refused.take").count() == 1


def test_a_file_is_closed_with_its_reason(desk: Browser, counter: Counter) -> None:
    desk.post(f"{page(counter)}clore/", {"to": "cancelled", "reason": "Départ de l’agent."})
    assert counter.state == FileState.CANCELLED
    assert "Départ de l’agent." in text(desk.get(page(counter)))


def test_revoking_asks_first_then_acts_at_once(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    asked = text(desk.get(f"{page(counter)}revoquer/"))
    assert "pour toujours" in asked
    assert Certificate.objects.get().state == CertificateState.VALID
    desk.post(f"{page(counter)}revoquer/", {"reason": "keyCompromise", "urgent": "on"})
    assert LoginCertificate.objects.get().withdrawn_at is not None
    assert "Révoqué" in text(desk.get(page(counter)))


def test_the_holder_who_refuses_the_content_ends_the_file(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    desk.post(f"{page(counter)}refus-du-contenu/")
    assert counter.state == FileState.CANCELLED


def test_the_quarantine_is_explained_on_the_page(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request_row = counter.ask()
    actions.issue(request_id=request_row.pk, by=counter.officer, at=NOON)
    actions.record_certificate(request_id=request_row.pk, pem="bonjour", at=NOON)
    shown = text(desk.get(page(counter)))
    assert "n’est pas un certificat lisible" in shown
    assert "Déposer la demande" in shown


# The inventory


def test_the_inventory_shows_expiries_the_first_on_top(
    desk: Browser, counter: Counter, town: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.HANDED_OVER)
    other = open_counter(town.organisation, syndicat, last_name="Brun")
    other.token = "TK-0002"
    other.bring_to(FileState.HANDED_OVER)
    soon = timezone.now() + timedelta(days=20)
    Certificate.objects.filter(file=other.file).update(
        not_before=soon - timedelta(days=900), not_after=soon
    )
    shown = text(desk.get(f"{PORTAL}inventaire/"))
    assert shown.index("Brun") < shown.index("Épinay")
    assert "badge-danger" in shown
    assert "TK-0001" in shown


def test_the_inventory_keeps_revoked_certificates_apart(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    actions.revoke(
        certificate_id=Certificate.objects.get().pk,
        reason=RevocationReason.CESSATION,
        by=counter.officer,
        at=NOON,
    )
    assert "Épinay" not in text(desk.get(f"{PORTAL}inventaire/"))
    assert "Épinay" in text(desk.get(f"{PORTAL}inventaire/", {"etat": "clos"}))


def test_the_inventory_is_searched(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    assert "Épinay" in text(desk.get(f"{PORTAL}inventaire/", {"q": "Celles"}))
    assert "Épinay" not in text(desk.get(f"{PORTAL}inventaire/", {"q": "Lezay"}))


def test_the_list_of_revoked_is_downloaded(desk: Browser, counter: Counter) -> None:
    response = desk.get(f"{PORTAL}autorites/exercice.crl")
    assert response["Content-Type"] == "application/pkix-crl"


def test_the_certificate_is_downloaded_without_any_key(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    content = desk.get(f"{page(counter)}certificat.pem").content
    assert content.startswith(b"-----BEGIN CERTIFICATE-----")
    assert b"PRIVATE" not in content


# Who may come in


@pytest.mark.parametrize(
    "address",
    [
        "nouveau/",
        "{pk}/pieces/identity/",
        "{pk}/face-a-face/",
        "{pk}/proces-verbal/",
        "{pk}/remise/",
    ],
)
def test_an_auditor_reads_and_touches_nothing(
    counter: Counter, syndicat: Any, address: str
) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get(page(counter)).status_code == 200
    assert auditor.get(PORTAL + address.format(pk=counter.file.pk)).status_code == 403


def test_an_auditor_does_not_see_identity_documents(counter: Counter, syndicat: Any) -> None:
    piece = counter.deposit(PieceKind.IDENTITY)
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get(f"{PORTAL}pieces/{piece.pk}/fichier").status_code == 403
    assert "/fichier" not in text(auditor.get(page(counter)))


def test_an_officer_without_the_right_revokes_nothing(counter: Counter, syndicat: Any) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    answer = officer.post(f"{page(counter)}revoquer/", {"reason": "keyCompromise"})
    assert answer.status_code == 403
    assert Certificate.objects.get().state == CertificateState.VALID


def test_a_trainer_does_not_see_the_counter(counter: Counter, syndicat: Any) -> None:
    assert on_portal(person(Role.TRAINER, at=syndicat)).get(PORTAL).status_code == 403


# The commune's side


def test_without_a_file_the_commune_is_told_what_to_do(portal: Any, neighbour: Any) -> None:
    who = person(Role.TRANSMITTER, at=neighbour.organisation)
    assert "Appelez votre syndicat" in text(in_town(neighbour, who).get(PORTAL))


def test_the_holder_deposits_her_pieces_and_sends_her_file(home: Browser, counter: Counter) -> None:
    assert "À déposer" in text(home.get(PORTAL))
    for kind in required_kinds(counter.file):
        home.post(f"{PORTAL}{counter.file.pk}/pieces/{kind.value}/", {"piece": upload()})
    assert "Envoyer mon dossier" in text(home.get(PORTAL))
    home.post(f"{PORTAL}{counter.file.pk}/envoyer/")
    assert counter.state == FileState.SUBMITTED
    assert "Votre syndicat vérifie" in text(home.get(PORTAL))


def test_a_bad_piece_is_refused_and_journalled_in_the_commune(
    home: Browser, counter: Counter, neighbour: Any
) -> None:
    bad = upload("photo.jpg", b"GIF89a")
    shown = text(home.post(f"{PORTAL}{counter.file.pk}/pieces/identity/", {"piece": bad}))
    assert "une image JPEG" in shown
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="refused.deposit_piece").count() == 1
    connection.set_schema_to_public()


def test_the_holder_deposits_her_request(home: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    address = f"{PORTAL}{counter.file.pk}/demande/"
    home.post(address, {"csr": upload("demande.csr", request_pem())})
    assert counter.file.requests.get().deposited_by == counter.holder


def test_the_holder_revokes_a_lost_certificate_herself(home: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    assert "révoquer" in text(home.get(PORTAL))
    address = f"{PORTAL}{counter.file.pk}/revoquer/"
    assert "il en faudra un autre" in text(home.get(address))
    home.post(address, {"reason": "keyCompromise"})
    assert LoginCertificate.objects.get().withdrawn_at is not None
    shown = text(home.get(PORTAL))
    assert "Révoqué" in shown
    assert address not in shown


@pytest.mark.parametrize("address", ["pieces/identity/", "demande/", "revoquer/", "certificat.pem"])
def test_the_file_of_a_colleague_does_not_exist(
    counter: Counter, neighbour: Any, address: str
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    colleague = person(Role.TRANSMITTER, at=counter.organisation)
    answer = in_town(neighbour, colleague).get(f"{PORTAL}{counter.file.pk}/{address}")
    assert answer.status_code == 404


def test_case_c45_the_file_of_another_commune_does_not_show(counter: Counter, town: Any) -> None:
    connection.set_schema_to_public()
    Grant.objects.create(
        person=counter.holder,
        organisation=town.organisation,
        roles=[Role.TRANSMITTER],
        starts_on=date(2026, 1, 1),
    )
    melle = in_town(town, counter.holder)
    assert "Vous n’avez pas encore de certificat" in text(melle.get(PORTAL))
    assert melle.post(f"{PORTAL}{counter.file.pk}/envoyer/").status_code == 404


def test_a_reader_has_no_certificate_page(counter: Counter, neighbour: Any) -> None:
    reader = person(Role.READER, at=counter.organisation)
    assert in_town(neighbour, reader).get(PORTAL).status_code == 403


def test_the_page_of_the_holder_stays_cheap(
    home: Browser, counter: Counter, django_assert_max_num_queries: Any
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    with django_assert_max_num_queries(16):  # two of them change role and path
        home.get(PORTAL)


# To-do lists


class Asking:
    """What a to-do provider needs of a request."""

    def __init__(self, user: Any, tenant: Any = None) -> None:
        self.user, self.tenant = user, tenant


def told(provider: Any, user: Any, tenant: Any = None) -> list[tuple[int, str]]:
    """The lines that are not empty."""
    set_urlconf(f"socle.config.urls_{'commune' if tenant else 'public'}")
    try:
        return [(one.count, one.sentence) for one in provider(Asking(user, tenant)) if one.count]
    finally:
        set_urlconf(None)


def test_the_operator_is_told_each_step(counter: Counter) -> None:
    counter.submit()
    assert told(todos.to_check, counter.officer) == [
        (1, "dossier de certificat a des pièces à vérifier")
    ]
    counter.bring_to(FileState.PIECES_CHECKED)
    assert told(todos.to_check, counter.officer) == []
    assert told(todos.to_receive, counter.officer) == [(1, "personne à recevoir en face à face")]
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    counter.ask()
    assert told(todos.to_check, counter.officer) == [(1, "certificat à établir")]


def test_the_operator_is_told_what_waits_to_be_handed_over(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    assert told(todos.to_hand_over, counter.officer) == [
        (1, "certificat à remettre en main propre")
    ]
    assert told(todos.to_hand_over, counter.holder) == []


def test_an_expiring_certificate_is_told_until_it_is_replaced(
    counter: Counter, neighbour: Any, syndicat: Any
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    soon = timezone.now() + timedelta(days=59)
    Certificate.objects.update(not_before=soon - timedelta(days=900), not_after=soon)
    assert told(todos.expiring, counter.officer) == [(1, "certificat à renouveler")]
    (line,) = told(todos.own, counter.holder, neighbour)
    assert line[1].startswith("certificat à renouveler avant le")
    renewal = actions.open_file(
        organisation=counter.organisation,
        holder=counter.holder,
        function="Secrétaire de mairie",
        offer=counter.file.offer,
        by=counter.officer,
        at=NOON,
    )
    Counter(counter.officer, counter.holder, counter.organisation, renewal).bring_to(
        FileState.HANDED_OVER
    )
    assert told(todos.expiring, counter.officer) == []


def test_the_holder_is_told_what_to_bring(counter: Counter, neighbour: Any) -> None:
    assert told(todos.own, counter.holder, neighbour) == [
        (4, "pièces à déposer pour votre certificat")
    ]
    counter.submit()
    assert told(todos.own, counter.holder, neighbour) == []
    piece = counter.file.pieces.first()
    actions.refuse_piece(piece_id=piece.pk, reason="Illisible.", by=counter.officer, at=NOON)
    assert told(todos.own, counter.holder, neighbour) == [
        (1, "pièce refusée, à remplacer pour votre certificat")
    ]


def test_the_lines_are_on_the_home_pages(desk: Browser, home: Browser, counter: Counter) -> None:
    assert "pièces à déposer" in text(home.get("/"))
    counter.submit()
    assert "pièces à vérifier" in text(desk.get("/"))


def test_a_piece_accepted_at_the_screen_keeps_its_end(desk: Browser, counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.IDENTITY)
    assert "Valable jusqu" in text(desk.get(f"{PORTAL}pieces/{piece.pk}/"))
    desk.post(f"{PORTAL}pieces/{piece.pk}/", {"expires_on": NEXT_YEAR.isoformat()})
    piece.refresh_from_db()
    assert (piece.state, piece.expires_on) == (PieceState.ACCEPTED, NEXT_YEAR)


def test_a_receipt_signed_on_paper_is_kept_and_read_again(desk: Browser, counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    address = f"{page(counter)}proces-verbal-signe/"
    assert desk.get(f"{address}fichier").status_code == 404
    desk.post(address, {"piece": upload("pv.pdf")})
    kept = desk.get(f"{address}fichier")
    assert BytesIO(b"".join(kept.streaming_content)).read() == PDF
