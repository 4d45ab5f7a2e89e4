"""What the policy asks of a file: pieces, mandates, locks, notes, batches, copies and clocks."""

import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from PIL import Image

from registration_authority import actions, files, tasks
from registration_authority.accreditation.models import Power
from registration_authority.accreditation.permissions import check_power
from registration_authority.dossier import actions as file_actions
from registration_authority.dossier import batches, queries, vault
from registration_authority.dossier.models import (
    ArchiveLocation,
    IdentityCopy,
    MandateKind,
    Note,
    When,
)
from registration_authority.dossier.profiles import required_kinds
from registration_authority.dossier.snapshot import digest_of
from registration_authority.evidence import retention
from registration_authority.evidence.models import Tombstone
from registration_authority.models import (
    Certificate,
    CertificateFile,
    FileState,
    Offer,
    Piece,
    PieceKind,
)
from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.documents import vault as blobs
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.people import in_town, on_portal, person
from tests.registration_authority.counter import NEXT_YEAR, NOON, PDF, Counter
from tests.registration_authority.policy import colleague, mandate, policy, rule, typed
from tests.registration_authority.test_accreditation import refused

PORTAL = "/certificats/"


def accept(counter: Counter, kind: PieceKind, **given: Any) -> Piece:
    """Accept one piece of the file."""
    piece = counter.file.pieces.get(kind=kind, replaced_at=None)
    return actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON, **given)


# Pieces and their rules


def test_case_c04_a_piece_that_is_too_old_is_refused_with_its_reason(counter: Counter) -> None:
    rule(counter, PieceKind.ENTITY, max_age_days=90)
    counter.submit()
    old = date(2026, 8, 23)  # ninety-three days before
    with pytest.raises(Refusal, match="trop ancien : il doit dater de moins de 90 jours") as told:
        accept(counter, PieceKind.ENTITY, dated_on=old)
    piece = counter.file.pieces.get(kind=PieceKind.ENTITY)
    assert piece.state == "pending"
    actions.refuse_piece(piece_id=piece.pk, reason=str(told.value), by=counter.officer, at=NOON)
    assert "trop ancien" in Notice.objects.get(person=counter.holder).body
    counter.deposit(PieceKind.ENTITY)
    accept(counter, PieceKind.ENTITY, dated_on=date(2026, 8, 26))


def test_case_c04_the_reason_found_is_proposed_on_the_screen(counter: Counter) -> None:
    rule(counter, PieceKind.ENTITY, max_age_days=90)
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.ENTITY)
    desk = on_portal(counter.officer)
    shown = desk.post(f"{PORTAL}pieces/{piece.pk}/", {"dated_on": "2020-01-01"}).content.decode()
    assert "trop ancien" in shown
    assert "Refuser avec le motif trouvé" in shown
    proposed = desk.get(f"{PORTAL}pieces/{piece.pk}/refuser/", {"motif": "Trop ancien."})
    assert "Trop ancien." in proposed.content.decode()


def test_a_document_of_the_future_is_refused(counter: Counter) -> None:
    rule(counter, PieceKind.ENTITY, max_age_days=90)
    counter.submit()
    with refused("ra.piece_too_old"):
        accept(counter, PieceKind.ENTITY, dated_on=date(2026, 11, 25))
    with refused("ra.piece_too_old"):
        accept(counter, PieceKind.ENTITY)


def test_what_the_policy_wants_seen_is_ticked_and_kept(counter: Counter) -> None:
    rule(counter, PieceKind.IDENTITY, checks=["annotée « conforme à l’original »", "lisible"])
    counter.submit()
    with pytest.raises(Refusal, match="lisible"):
        accept(
            counter,
            PieceKind.IDENTITY,
            expires_on=NEXT_YEAR,
            checks=["annotée « conforme à l’original »"],
        )
    piece = accept(
        counter,
        PieceKind.IDENTITY,
        expires_on=NEXT_YEAR,
        checks=["lisible", "annotée « conforme à l’original »", "autre chose"],
    )
    assert piece.checks == ["annotée « conforme à l’original »", "lisible"]


def test_a_rule_may_add_a_piece_to_every_file(counter: Counter) -> None:
    before = required_kinds(counter.file)
    rule(counter, PieceKind.LEGAL_ID, when=When.ALWAYS)
    after = required_kinds(CertificateFile.objects.get(pk=counter.file.pk))
    assert set(after) - set(before) == {PieceKind.LEGAL_ID}


def test_case_c05_the_document_of_the_representative_expires_too(counter: Counter) -> None:
    rule(counter, PieceKind.LEGAL_ID)
    counter.submit()
    with refused("ra.document_expired"):
        accept(counter, PieceKind.LEGAL_ID, expires_on=date(2026, 11, 23))


# Mandates


def test_case_c07_a_proof_that_names_another_mayor_is_refused(counter: Counter) -> None:
    mayor = mandate(counter, MandateKind.LEGAL)
    file_actions.set_route(file_id=counter.file.pk, signed_by=mayor, by=counter.officer, at=NOON)
    counter.submit()
    with pytest.raises(Refusal, match="désigne « Paul Ancien »"):
        accept(counter, PieceKind.MANDATE, name_read="Paul Ancien")
    assert counter.file.pieces.get(kind=PieceKind.MANDATE).state == "pending"
    assert accept(counter, PieceKind.MANDATE, name_read="MAIRE Jeanne")


def test_case_c08_a_delegate_without_his_delegation_stops_the_file(counter: Counter) -> None:
    dgs = mandate(counter, MandateKind.DELEGATE, given_name="Denis", surname="Général")
    file_actions.set_route(file_id=counter.file.pk, signed_by=dgs, by=counter.officer, at=NOON)
    counter.file.refresh_from_db()
    for kind in required_kinds(counter.file):
        if kind != PieceKind.DELEGATION:
            counter.deposit(kind)
    with pytest.raises(Refusal, match="délégation de signature"):
        actions.submit(file_id=counter.file.pk, by=counter.holder, at=NOON)
    assert counter.state == FileState.DRAFT


def test_case_c09_a_delegation_that_ended_the_day_before_is_refused(counter: Counter) -> None:
    dgs = mandate(counter, MandateKind.DELEGATE, ends_on=date(2026, 11, 19))
    file_actions.set_route(file_id=counter.file.pk, signed_by=dgs, by=counter.officer, at=NOON)
    counter.file.refresh_from_db()
    counter.submit()
    with refused("ra.mandate_not_in_force"):
        accept(counter, PieceKind.TERMS, dated_on=date(2026, 11, 20))
    assert accept(counter, PieceKind.TERMS, dated_on=date(2026, 11, 19))


@pytest.mark.parametrize(
    ("signed_on", "good"),
    [(date(2026, 3, 27), False), (date(2026, 3, 28), True), (date(2026, 11, 24), True)],
)
def test_invariant_i20_the_signatory_had_power_that_day(
    counter: Counter, signed_on: date, good: bool
) -> None:
    mayor = mandate(counter, MandateKind.LEGAL)
    file_actions.set_route(file_id=counter.file.pk, signed_by=mayor, by=counter.officer, at=NOON)
    counter.submit()
    if good:
        assert accept(counter, PieceKind.TERMS, dated_on=signed_on).dated_on == signed_on
    else:
        with refused("ra.mandate_not_in_force"):
            accept(counter, PieceKind.TERMS, dated_on=signed_on)


def proxy_of(counter: Counter, **changes: Any) -> Any:
    """A « mandataire » of the body, with her account there."""
    who = person(
        Role.TRANSMITTER, at=counter.organisation, first_name="Mona", last_name="Mandataire"
    )
    who.grants.update(starts_on=date(2026, 1, 1))
    given = {"person": who, "given_name": "Mona", "surname": "Mandataire"} | changes
    return mandate(counter, MandateKind.PROXY, **given)


def test_case_c10_a_proxy_of_another_body_is_refused(
    counter: Counter, town: Any, neighbour: Any
) -> None:
    connection.set_schema_to_public()
    stranger = proxy_of(counter, organisation=town.organisation)
    with refused("ra.route_not_admitted"):
        file_actions.set_route(file_id=counter.file.pk, proxy=stranger, by=counter.officer, at=NOON)
    counter.file.refresh_from_db()
    assert counter.file.proxy is None
    own = proxy_of(counter, person=counter.holder, given_name="Hélène", surname="Épinay")
    with refused("ra.route_not_admitted"):
        file_actions.set_route(file_id=counter.file.pk, proxy=own, by=counter.officer, at=NOON)


def test_case_c10_a_proxy_reaches_no_file_that_is_not_entrusted(
    counter: Counter, neighbour: Any
) -> None:
    proxy = proxy_of(counter)
    home = in_town(neighbour, proxy.person)
    address = f"{PORTAL}confies/{counter.file.pk}/"
    assert home.get(address).status_code == 404
    file_actions.set_route(file_id=counter.file.pk, proxy=proxy, by=counter.officer, at=NOON)
    assert home.get(address).status_code == 200
    file_actions.end_mandate(
        mandate_id=proxy.pk, ends_on=date(2026, 4, 1), by=counter.officer, at=NOON
    )
    assert home.get(address).status_code == 404


def test_a_proxy_needs_a_policy_that_admits_one(counter: Counter) -> None:
    policy(counter, proxy_allowed=False)
    with refused("ra.route_not_admitted"):
        file_actions.set_route(
            file_id=counter.file.pk, proxy=proxy_of(counter), by=counter.officer, at=NOON
        )


def test_a_proxy_receives_a_colleague_but_never_herself(counter: Counter) -> None:
    proxy = proxy_of(counter)
    file_actions.set_route(file_id=counter.file.pk, proxy=proxy, by=counter.officer, at=NOON)
    counter.file.refresh_from_db()
    assert PieceKind.PROXY in required_kinds(counter.file)
    counter.bring_to(FileState.PIECES_CHECKED)
    met = counter.meet(by=proxy.person)
    assert met.proxy == proxy
    assert files.read(met.attestation).startswith(b"%PDF")


def test_case_c33_a_proxy_collects_and_the_holder_acknowledges(
    counter: Counter, neighbour: Any
) -> None:
    proxy = proxy_of(counter)
    file_actions.set_route(file_id=counter.file.pk, proxy=proxy, by=counter.officer, at=NOON)
    counter.file.refresh_from_db()
    counter.bring_to(FileState.ISSUED)
    other = proxy_of(counter, given_name="Une", surname="Autre")
    with refused("ra.route_not_admitted"):
        counter.prepare(collected_by=other)
    counter.prepare(collected_by=proxy)
    receipt = counter.hand_over()
    assert receipt.awaits_the_holder
    home = in_town(neighbour, counter.holder)
    assert "Avez-vous reçu votre support" in home.get(PORTAL).content.decode()
    assert home.post(f"{PORTAL}{counter.file.pk}/recu/").status_code == 302
    receipt.refresh_from_db()
    assert not receipt.awaits_the_holder


# Snapshot


def test_invariant_i04_an_approval_binds_to_what_was_checked(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    counter.holder.last_name = "Dupont"
    counter.holder.save(update_fields=["last_name"])
    with refused("ra.changed_since"):
        actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    counter.holder.last_name = "Épinay"
    counter.holder.save(update_fields=["last_name"])
    actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    request.refresh_from_db()
    file = CertificateFile.objects.select_related("holder", "organisation", "offer").get()
    assert request.approved_digest == file.checked_digest == digest_of(file)


# Locks, holds and notes


def test_a_file_that_was_taken_is_left_alone(counter: Counter) -> None:
    counter.submit()
    other = colleague()
    actions.take(file_id=counter.file.pk, by=counter.officer, at=NOON)
    with refused("ra.file_locked"):
        actions.take(file_id=counter.file.pk, by=other, at=NOON)
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    with refused("ra.file_locked"):
        actions.accept_piece(piece_id=piece.pk, by=other, at=NOON)
    assert counter.file not in queries.waiting_for(other, NOON)
    assert counter.file in queries.waiting_for(counter.officer, NOON)
    later = NOON + timedelta(hours=4, minutes=1)
    assert counter.file in queries.waiting_for(other, later)
    assert actions.take(file_id=counter.file.pk, by=other, at=later)


def test_the_hours_of_a_lock_come_from_the_policy(counter: Counter) -> None:
    policy(counter, lock_hours=1)
    counter.submit()
    taken = actions.take(file_id=counter.file.pk, by=counter.officer, at=NOON)
    assert taken.locked_until == NOON + timedelta(hours=1)
    file_actions.release(file_id=counter.file.pk, by=counter.officer, at=NOON)
    assert actions.take(file_id=counter.file.pk, by=colleague(), at=NOON)


def test_a_file_on_hold_goes_no_further_until_the_commune_answers(counter: Counter) -> None:
    counter.submit()
    file_actions.hold(
        file_id=counter.file.pk, reason="L’arrêté est-il signé ?", by=counter.officer, at=NOON
    )
    assert "L’arrêté est-il signé" in Notice.objects.get(person=counter.holder).body
    with refused("ra.on_hold"):
        counter.accept_all()
    assert counter.file not in queries.waiting_for(counter.officer, NOON)
    counter.deposit(PieceKind.FUNCTION)
    counter.file.refresh_from_db()
    assert counter.file.on_hold_since is None
    counter.accept_all()
    assert counter.state == FileState.PIECES_CHECKED


def test_a_hold_says_why(counter: Counter) -> None:
    counter.submit()
    for reason, code in ((" ", "ra.needs_reason"), ("code pin 4821", "ra.secret_in_text")):
        with refused(code):
            file_actions.hold(file_id=counter.file.pk, reason=reason, by=counter.officer, at=NOON)


def test_notes_stay_between_officers(counter: Counter, neighbour: Any) -> None:
    file_actions.add_note(
        file_id=counter.file.pk, text="Rappeler lundi.", by=counter.officer, at=NOON
    )
    desk = on_portal(counter.officer)
    assert "Rappeler lundi." in desk.get(f"{PORTAL}{counter.file.pk}/").content.decode()
    home = in_town(neighbour, counter.holder)
    assert "Rappeler lundi." not in home.get(PORTAL).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('socle_commune', %s, 'SELECT')", [_notes()])
        assert cursor.fetchone() == (False,)


def _notes() -> str:
    return f"public.{Note._meta.db_table}"


def test_case_c67_no_pin_in_a_note(counter: Counter) -> None:
    with refused("ra.secret_in_text"):
        file_actions.add_note(
            file_id=counter.file.pk, text="code pin 4821", by=counter.officer, at=NOON
        )


# What waits


def test_the_desk_shows_what_waits_the_longest_first(
    counter: Counter, syndicat: Any, django_assert_max_num_queries: Any
) -> None:
    counter.submit()
    desk = on_portal(counter.officer)
    desk.get(f"{PORTAL}guichet/")
    with django_assert_max_num_queries(22):
        shown = desk.get(f"{PORTAL}guichet/").content.decode()
    assert "Hélène Épinay" in shown
    assert "Vérifier 4 pièces" in shown


# Batches


def test_a_batch_opens_each_file_by_itself(counter: Counter, town: Any) -> None:
    connection.set_schema_to_public()
    names = ("Aubry", "Besson")
    fresh = [person(Role.TRANSMITTER, at=town.organisation, last_name=name) for name in names]
    wanted = [batches.Wanted(town.organisation, one, "Agent") for one in fresh]
    wanted.append(batches.Wanted(counter.organisation, counter.holder, "Agent"))
    from django.utils import timezone

    batch = batches.open_batch(
        label="Nouveaux agents",
        offer=counter.file.offer,
        wanted=wanted,
        by=counter.officer,
        at=timezone.now(),
    )
    told = queries.batches().get(pk=batch.pk)
    assert (told.size, told.refused, told.done) == (3, 1, 0)
    line = batch.lines.get(holder=counter.holder)
    assert "déjà ouvert" in line.refusal
    shown = on_portal(counter.officer).get(f"{PORTAL}lots/{batch.pk}/").content.decode()
    assert "La commune dépose ses pièces" in shown
    assert "Non ouvert" in shown


def test_a_batch_proposes_only_people_without_certificate(counter: Counter, town: Any) -> None:
    connection.set_schema_to_public()
    fresh = person(Role.SIGNATORY, at=town.organisation, last_name="Nouvelle")
    desk = on_portal(counter.officer)
    shown = desk.get(f"{PORTAL}lots/nouveau/").content.decode()
    assert "Nouvelle" in shown
    assert "Épinay" not in shown  # she has a file under way
    empty = desk.post(f"{PORTAL}lots/nouveau/", {"label": "x", "offer": counter.file.offer.pk})
    assert "Cochez au moins une personne" in empty.content.decode()
    grant = fresh.grants.get()
    given = {"label": "Un lot", "offer": counter.file.offer.pk, "wanted": [grant.pk]}
    desk.post(f"{PORTAL}lots/nouveau/", given)
    assert CertificateFile.objects.get(holder=fresh).state == FileState.DRAFT


# Copies of identity documents


def test_a_copy_has_a_key_of_its_own(counter: Counter) -> None:
    first = counter.deposit(PieceKind.IDENTITY)
    other = counter.deposit(PieceKind.IDENTITY)
    copies = [IdentityCopy.objects.get(pk=one.content) for one in (first, other)]
    assert vault.read(copies[0]) == vault.read(copies[1]) == PDF
    copies[0].key_id, copies[0].sealed_key = copies[1].key_id, copies[1].sealed_key
    with pytest.raises(blobs.Tampered):
        vault.read(copies[0])


def test_a_copy_is_shown_with_who_looks_at_it_and_the_look_is_written(
    counter: Counter, neighbour: Any
) -> None:
    picture = BytesIO()
    Image.new("RGB", (600, 400), "white").save(picture, "PNG")
    piece = counter.deposit(PieceKind.IDENTITY, content=picture.getvalue(), name="cni.png")
    shown = on_portal(counter.officer).get(f"{PORTAL}pieces/{piece.pk}/fichier")
    assert shown["Content-Type"] == "image/jpeg"
    with Image.open(BytesIO(shown.content)) as marked:
        assert len(set(marked.convert("L").tobytes())) > 10  # no longer all white
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.piece_read", actor_id=counter.officer.pk).exists()
    connection.set_schema_to_public()


def test_a_pdf_copy_carries_its_watermark_on_every_page(counter: Counter) -> None:
    import pikepdf

    two = BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.add_blank_page()
        made.save(two)
    piece = counter.deposit(PieceKind.IDENTITY, content=two.getvalue())
    shown = on_portal(counter.officer).get(f"{PORTAL}pieces/{piece.pk}/fichier")
    with pikepdf.open(BytesIO(shown.content)) as marked:
        assert all("/XObject" in page.resources for page in marked.pages)
    assert len(shown.content) > len(two.getvalue())


def test_only_an_officer_who_serves_the_file_looks(counter: Counter) -> None:
    piece = counter.deposit(PieceKind.IDENTITY)
    policy(counter, accreditation_required=True)
    answer = on_portal(counter.officer).get(f"{PORTAL}pieces/{piece.pk}/fichier")
    assert answer.status_code == 302
    connection.set_schema_to_public()
    assert Entry.objects.filter(event="refused.note_reading").exists()
    own = colleague(first_name="Hélène", last_name="Épinay")
    policy(counter, accreditation_required=False)
    assert on_portal(own).get(f"{PORTAL}pieces/{piece.pk}/fichier").status_code == 302


# The two clocks


def _bytes_left(copy: IdentityCopy) -> bool:
    return storages["vault"].exists(vault._place(copy.pk))


def test_case_c61_the_counters_clock_destroys_the_working_copy(
    counter: Counter, neighbour: Any, django_capture_on_commit_callbacks: Any
) -> None:
    policy(counter, archive_location=ArchiveLocation.COUNTER, identity_copy_days=60)
    counter.bring_to(FileState.HANDED_OVER)
    piece = counter.file.pieces.get(kind=PieceKind.IDENTITY)
    copy = IdentityCopy.objects.get(pk=piece.content)
    last_day = NOON + timedelta(days=60)
    assert retention.purge(counter.file.pk, at=last_day) == 0
    assert _bytes_left(copy)
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.purge(counter.file.pk, at=last_day + timedelta(days=1)) == 1
    copy.refresh_from_db()
    piece.refresh_from_db()
    assert not _bytes_left(copy)
    assert (bytes(copy.sealed_key), copy.clock, piece.name) == (b"", "counter", retention.PURGED)
    assert (copy.sha256, piece.sha256) == (piece.sha256, copy.sha256)
    with pytest.raises(vault.Purged):
        vault.read(copy)
    assert on_portal(counter.officer).get(f"{PORTAL}pieces/{piece.pk}/fichier").status_code == 404
    connection.set_tenant(neighbour)
    told = Entry.objects.get(event="ra.purged").detail
    assert (told["sha256"], told["clock"]) == ([copy.sha256], "copie de travail du syndicat")
    connection.set_schema_to_public()
    assert retention.purge(counter.file.pk, at=last_day + timedelta(days=9)) == 0


def test_case_c61_the_authoritys_clock_runs_from_the_end_of_the_certificate(
    counter: Counter,
) -> None:
    policy(counter, retention_years=7, identity_copy_days=None)
    counter.bring_to(FileState.HANDED_OVER)
    end = Certificate.objects.get().not_after
    assert retention.purge(counter.file.pk, at=NOON + timedelta(days=400)) == 0
    after = end.replace(year=end.year + 7)
    assert retention.purge(counter.file.pk, at=after) == 0
    assert retention.purge(counter.file.pk, at=after + timedelta(days=1)) == 6
    assert IdentityCopy.objects.get().clock == "authority"
    assert set(Tombstone.objects.values_list("clock", flat=True)) == {"authority"}


def test_a_file_without_certificate_follows_the_counters_clock(counter: Counter) -> None:
    policy(counter, working_copy_days=10, identity_copy_days=None)
    counter.submit()
    assert retention.purge(counter.file.pk, at=NOON + timedelta(days=4000)) == 0
    actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Départ",
        by=counter.officer,
        at=NOON,
    )
    assert retention.purge(counter.file.pk, at=NOON + timedelta(days=11)) == 4
    assert set(Tombstone.objects.values_list("clock", flat=True)) == {"counter"}


def test_invariant_i16_nothing_of_a_purged_copy_is_left(
    counter: Counter, vault: Any, django_capture_on_commit_callbacks: Any
) -> None:
    secret = PDF + b"\n% ZYGENE-RECTO"
    counter.deposit(PieceKind.IDENTITY, content=secret)
    counter.submit()
    for path in vault.rglob("*"):
        assert not path.is_file() or b"ZYGENE" not in path.read_bytes()
    actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Départ",
        by=counter.officer,
        at=NOON,
    )
    with django_capture_on_commit_callbacks(execute=True):
        retention.purge(counter.file.pk, at=NOON + timedelta(days=61))
    left = [path for path in (vault / "identity").rglob("*") if path.is_file()]
    assert left == []
    assert not IdentityCopy.objects.exclude(sealed_key=b"").exists()


def test_the_task_reads_both_clocks(counter: Counter) -> None:
    import time_machine

    policy(counter, working_copy_days=5)
    counter.submit()
    actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Départ",
        by=counter.officer,
        at=NOON,
    )
    with time_machine.travel(NOON + timedelta(days=5), tick=False):
        tasks.purge()
    assert IdentityCopy.objects.filter(purged_at=None).count() == 1
    with time_machine.travel(NOON + timedelta(days=7), tick=False):
        tasks.purge()
    assert not IdentityCopy.objects.filter(purged_at=None).exists()


# The face to face


def test_what_was_seen_on_the_original_is_kept(counter: Counter) -> None:
    policy(counter, identity_features=["Photo ressemblante", "Hologramme"])
    counter.bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="Hologramme"):
        counter.meet(features=["Photo ressemblante"])
    met = counter.meet(features=["Hologramme", "Photo ressemblante"])
    assert met.features == ["Photo ressemblante", "Hologramme"]


def test_a_face_to_face_grows_old(counter: Counter) -> None:
    policy(counter, face_to_face_max_age_days=30)
    counter.bring_to(FileState.ISSUED)
    with pytest.raises(Refusal, match="plus de 30 jours"):
        counter.prepare(at=NOON + timedelta(days=31))
    assert counter.prepare(at=NOON + timedelta(days=30))


def test_the_signed_attestation_comes_back(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    actions.add_attestation(
        file_id=counter.file.pk, content=PDF, name="attestation.pdf", by=counter.officer, at=NOON
    )
    shown = on_portal(counter.officer).get(f"{PORTAL}{counter.file.pk}/attestation.pdf")
    assert b"".join(shown.streaming_content) == PDF


# The policy on its screens


def test_a_policy_is_written_on_the_page_of_its_offer(counter: Counter) -> None:
    from tests.registration_authority.policy import administrator

    desk = on_portal(administrator())
    code = counter.file.offer.code
    assert desk.get(f"{PORTAL}offres/").status_code == 200
    given = typed(
        document="PC 1.2",
        approvals_required=2,
        identity_features="Photo\nHologramme",
        retention_years=10,
        reminders="30 90, 7",
    )
    answer = desk.post(f"{PORTAL}offres/{code}/politique/", given)
    assert answer.status_code == 302, re.findall(
        r'class="error[^>]*>(.*?)<', answer.content.decode()
    )
    profile = policy(counter)
    assert profile.identity_features == ["Photo", "Hologramme"]
    assert (profile.approvals_required, profile.retention_years) == (2, 10)
    assert profile.reminders == [90, 30, 7]
    given = {"when": "always", "max_age_days": 90, "checks": "SIREN lisible"}
    assert desk.post(f"{PORTAL}offres/{code}/pieces/entity/", given).status_code == 302
    assert "SIREN lisible" in desk.get(f"{PORTAL}offres/{code}/").content.decode()
    assert on_portal(counter.officer).get(f"{PORTAL}offres/{code}/politique/").status_code == 403


def test_one_line_of_the_journal_tells_what_a_policy_was_and_is(counter: Counter) -> None:
    from tests.registration_authority.policy import administrator

    desk = on_portal(administrator())
    page = f"{PORTAL}offres/{counter.file.offer.code}/politique/"
    profile = policy(counter, revocation_hours=24, retention_years=7)
    given = typed(
        **{"document": profile.document, "support": profile.support, "retention_years": 10},
        proxy_allowed="on",
        delegate_allowed="on",
        visit_checklist="\n".join(profile.visit_checklist),
        may_ask=["holder", "officer"],
    )
    connection.set_schema_to_public()
    assert desk.post(page, given).status_code == 302
    told = Entry.objects.get(event="ra.policy_written").detail
    everybody = "holder ; representative ; officer ; caller ; authority"
    assert told["before"] == {"retention_years": "7", "may_ask": everybody}
    assert told["after"] == {"retention_years": "10", "may_ask": "holder ; officer"}
    assert desk.post(page, given).status_code == 302  # nothing changed: nothing to tell
    assert Entry.objects.filter(event="ra.policy_written").count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"revocation_warn_hours": 30}, "avant le délai de publication"),
        ({"reminders": "120, 60"}, "précède l’ouverture du renouvellement"),
        ({"reminders": "bientôt"}, "n’est pas un nombre de jours"),
        ({"wrong_codes": 0}, "supérieur à zéro"),
    ],
)
def test_what_a_policy_says_holds_together(
    counter: Counter, wrong: dict[str, Any], sentence: str
) -> None:
    from tests.registration_authority.policy import administrator

    page = f"{PORTAL}offres/{counter.file.offer.code}/politique/"
    answer = on_portal(administrator()).post(page, typed(**wrong))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


def test_every_value_of_a_policy_is_on_its_page_once() -> None:
    from registration_authority.dossier.forms import SECTIONS
    from registration_authority.dossier.models import PolicyProfile

    shown = [name for _, names in SECTIONS for name in names]
    kept = {one.name for one in PolicyProfile._meta.concrete_fields} - {"id", "offer"}
    assert (len(shown), set(shown)) == (len(kept), kept)


def test_a_value_left_empty_is_told_in_words() -> None:
    from registration_authority.dossier.forms import SECTIONS, in_words
    from registration_authority.dossier.models import PolicyProfile

    empty = PolicyProfile(identity_copy_days=None)
    told = {name: in_words(empty, name) for _, names in SECTIONS for name in names}
    assert told["identity_copy_days"] == "avec le reste du dossier"
    assert told["uncollected_days"] == "sans limite"
    assert told["identity_documents"].startswith("Carte nationale d’identité ; ")
    assert told["archive_location"] == "Le syndicat conserve le dossier"
    assert "None" not in told.values()


def test_an_offer_without_a_policy_is_not_ordered(counter: Counter) -> None:
    from registration_authority.dossier.models import PolicyProfile

    bare = Offer.objects.get(pk=counter.file.offer_id)
    bare.pk, bare.code, bare.name = None, "nue", "Sans politique"
    bare.save(force_insert=True)
    actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Autre offre",
        by=counter.officer,
        at=NOON,
    )
    asked = {
        "organisation": counter.organisation,
        "holder": counter.holder,
        "function": "Secrétaire",
        "by": counter.officer,
        "at": NOON,
    }
    bare = Offer.objects.get(code="nue")
    with refused("ra.no_policy"):
        actions.open_file(offer=bare, **asked)
    with refused("ra.not_accredited"):
        check_power(counter.officer, Power.CHECK_FILE, offer=bare, at=NOON)
    file_actions.write_profile(profile=PolicyProfile(offer=bare), by=counter.officer, at=NOON)
    assert actions.open_file(offer=Offer.objects.get(code="nue"), **asked)


def test_an_original_the_policy_does_not_admit_is_refused(counter: Counter) -> None:
    policy(counter, identity_documents=["passport"])
    counter.bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="n’admet pas ce document"):
        counter.meet(document_kind="cni")
    page = on_portal(counter.officer).get(f"{PORTAL}{counter.file.pk}/face-a-face/")
    assert "Passeport" in page.content.decode()
    assert "Titre de séjour" not in page.content.decode()


def test_identity_copies_never_stay_longer_than_the_rest(counter: Counter) -> None:
    policy(counter, archive_location="authority", working_copy_days=30, identity_copy_days=90)
    counter.bring_to(FileState.HANDED_OVER)
    assert retention.purge(counter.file.pk, at=NOON + timedelta(days=30)) == 0
    assert retention.purge(counter.file.pk, at=NOON + timedelta(days=31)) == 6
    assert not IdentityCopy.objects.filter(purged_at=None).exists()
