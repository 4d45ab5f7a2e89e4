"""Tokens: received once, moved, counted, given, lost; and the sleeves of receipts."""

import itertools
from collections import Counter as Tally
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import set_urlconf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registration_authority import actions as counter_actions
from registration_authority import todos
from registration_authority.models import (
    Certificate,
    CertificateState,
    FileState,
    HandOver,
    RevocationReason,
)
from registration_authority.stock import actions, ledger, policies, queries
from registration_authority.stock.models import (
    Count,
    Location,
    Sleeve,
    Token,
    TokenMovement,
    TokenState,
)
from tests.people import on_portal
from tests.registration_authority.counter import NOON, PDF, Counter
from tests.registration_authority.policy import colleague, policy
from tests.registration_authority.test_accreditation import refused

PORTAL = "/certificats/"
TEN = "\n".join(f"TK-{number:04}" for number in range(1, 11))


@pytest.fixture
def safe(counter: Counter) -> Location:
    """A safe with ten tokens, TK-0001 to TK-0010."""
    place = Location.objects.create(code="coffre", name="Coffre", low_stock=5)
    actions.receive_batch(
        reference="BL-1", model="Clé", location=place, serials=TEN, by=counter.officer, at=NOON
    )
    return place


def token(serial: str) -> Token:
    """The token with this number."""
    return Token.objects.get(serial=serial)


# Transitions: those of Dogtag's CS.cfg, from the reference and not from our dictionary

TPS = dict(
    enumerate(
        ("formatted", "damaged", "lost", "suspended", "active", None, "terminated", "unformatted")
    )
)
MANUAL = "0:1,0:2,0:3,0:6,3:2,3:6,4:1,4:2,4:3,4:6,6:7,1:2,7:1,7:2,6:1,6:2,3:1,3:4"
OPERATIONS = "0:0,0:4,4:4,4:0,7:0"


def test_the_transitions_are_those_the_reference_ships() -> None:
    pairs = {tuple(map(int, one.split(":"))) for one in f"{MANUAL},{OPERATIONS}".split(",")}
    wanted = {(TPS[a], TPS[b]) for a, b in pairs if a != b}
    ours = {
        (before.value, after.value)
        for before, reached in policies.TOKEN_TRANSITIONS.items()
        for after in reached
    }
    assert ours == wanted


def test_a_token_that_was_ready_does_not_come_out_of_suspension_as_given(
    counter: Counter, safe: Location
) -> None:
    one = token("TK-0001")
    actions.change_state(
        token_id=one.pk, to=TokenState.SUSPENDED, reason="Doute", by=counter.officer, at=NOON
    )
    with refused("ra.token_forbidden"):
        actions.change_state(
            token_id=one.pk, to=TokenState.ACTIVE, reason="Fini", by=counter.officer, at=NOON
        )


def test_a_token_serves_twice_only_where_the_policy_says_so(
    counter: Counter, safe: Location
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    one = token("TK-0001")
    with refused("ra.token_forbidden"):
        actions.change_state(
            token_id=one.pk, to=TokenState.FORMATTED, reason="Rendu", by=counter.officer, at=NOON
        )


# Deliveries


def test_case_c36_a_token_is_received_once(counter: Counter, safe: Location) -> None:
    with refused("ra.token_known"):
        actions.receive_batch(
            reference="BL-2",
            model="Clé",
            location=safe,
            serials="tk-0010\nTK-0011",
            by=counter.officer,
            at=NOON,
        )
    assert not Token.objects.filter(serial="TK-0011").exists()  # all or nothing
    with pytest.raises(IntegrityError, match="one_serial"), transaction.atomic():
        Token.objects.create(
            serial="tk-0001", batch=token("TK-0001").batch, state="formatted", location=safe
        )


@pytest.mark.parametrize(
    ("serials", "code"),
    [
        ("", "ra.token_unknown"),
        ("TK 12", "ra.token_unknown"),
        ("A1\na1", "ra.token_known"),
        ("TK-1\n<script>", "ra.token_unknown"),
    ],
)
def test_a_delivery_that_cannot_be_read_is_refused(
    counter: Counter, safe: Location, serials: str, code: str
) -> None:
    with refused(code):
        actions.receive_batch(
            reference="BL-3",
            model="Clé",
            location=safe,
            serials=serials,
            by=counter.officer,
            at=NOON,
        )
    assert Token.objects.count() == 10


# Hand-over


def test_case_c35_another_token_than_the_one_of_the_file_is_refused(
    counter: Counter, safe: Location
) -> None:
    policy(counter, stock_required=True)
    counter.bring_to(FileState.ISSUED)
    with refused("ra.token_unknown"):
        counter.prepare(token_serial="TK-9999")
    with refused("ra.token_unknown"):
        counter.prepare(token_serial="sans support")
    broken = token("TK-0002")
    actions.change_state(
        token_id=broken.pk, to=TokenState.DAMAGED, reason="Tombé", by=counter.officer, at=NOON
    )
    with refused("ra.token_unknown"):
        counter.prepare(token_serial="TK-0002")
    assert not HandOver.objects.exists()
    assert counter.prepare(token_serial="tk-0001")


def test_invariant_i07_a_token_given_has_one_hand_over(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    given_away = token("TK-0001")
    assert (given_away.state, given_away.location, given_away.file) == (
        TokenState.ACTIVE,
        None,
        counter.file,
    )
    assert HandOver.objects.filter(token_serial="TK-0001", signed_at__isnull=False).count() == 1
    with pytest.raises(IntegrityError, match="one_active_per_file"), transaction.atomic():
        Token.objects.filter(serial="TK-0002").update(state="active", file=counter.file)


def test_case_c39_a_token_whose_certificate_was_declined_comes_back_retired(
    counter: Counter, safe: Location
) -> None:
    counter.bring_to(FileState.ISSUED)
    ledger.reserve(token=token("TK-0001"), file=counter.file, by=counter.officer, at=NOON)
    counter_actions.decline(file_id=counter.file.pk, by=counter.officer, at=NOON)
    assert token("TK-0001").state == TokenState.TERMINATED
    assert token("TK-0001").location == safe


def test_case_c38_a_certificate_nobody_came_for_is_revoked_with_its_token(
    counter: Counter, safe: Location
) -> None:
    policy(counter, uncollected_days=60)
    counter.bring_to(FileState.ISSUED)
    ledger.reserve(token=token("TK-0001"), file=counter.file, by=counter.officer, at=NOON)
    last = NOON + timedelta(days=60)
    assert counter_actions.expire_uncollected(file_id=counter.file.pk, at=last) is None
    expired = counter_actions.expire_uncollected(
        file_id=counter.file.pk, at=last + timedelta(minutes=1)
    )
    assert expired is not None
    assert expired.revocation_reason == RevocationReason.CESSATION
    assert counter.state == FileState.CANCELLED
    assert token("TK-0001").state == TokenState.TERMINATED


def test_a_certificate_waits_for_ever_where_the_policy_says_nothing(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    late = NOON + timedelta(days=900)
    assert counter_actions.expire_uncollected(file_id=counter.file.pk, at=late) is None


# Counts


def test_case_c37_a_token_missing_at_the_count_is_lost_and_revokes(
    counter: Counter, safe: Location
) -> None:
    counter.bring_to(FileState.ISSUED)
    ledger.reserve(token=token("TK-0001"), file=counter.file, by=counter.officer, at=NOON)
    found = "\n".join(f"TK-{number:04}" for number in range(2, 11)) + "\nTK-7777"
    counted = actions.count(location=safe, serials=found, by=colleague(), at=NOON)
    assert (counted.missing, counted.unknown) == (["TK-0001"], ["TK-7777"])
    assert (token("TK-0001").state, token("TK-0001").location) == (TokenState.LOST, None)
    certificate = Certificate.objects.get()
    assert certificate.state == CertificateState.REVOKED
    assert certificate.revocation_reason == RevocationReason.KEY_COMPROMISE


def test_a_ready_token_that_is_missing_revokes_nothing(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.ISSUED)
    actions.count(location=safe, serials="TK-0001", by=colleague(), at=NOON)
    assert Token.objects.filter(state=TokenState.LOST).count() == 9
    assert Certificate.objects.get().state == CertificateState.VALID


def test_whoever_hands_over_does_not_count(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    with refused("ra.counter_hands_over"):
        actions.count(location=safe, serials=TEN, by=counter.officer, at=NOON)
    double = colleague(first_name="Camille", last_name="Guichard")
    with refused("ra.counter_hands_over"):
        actions.count(location=safe, serials=TEN, by=double, at=NOON)
    assert not Count.objects.exists()
    rest = TEN.removeprefix("TK-0001\n")
    assert actions.count(location=safe, serials=rest, by=colleague(), at=NOON).missing == []
    after = NOON + timedelta(days=1)
    assert actions.count(location=safe, serials=rest, by=counter.officer, at=after)


# The ledger


def test_the_ledger_only_grows(counter: Counter, safe: Location) -> None:
    line = TokenMovement.objects.first()
    assert line is not None
    for change in (
        lambda: TokenMovement.objects.filter(pk=line.pk).update(reason="autre"),
        lambda: TokenMovement.objects.filter(pk=line.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
            change()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10),
            st.sampled_from([state for state in TokenState if state != TokenState.ACTIVE])
            | st.just("move"),
        ),
        max_size=12,
    )
)
def test_invariant_i13_the_ledger_tells_what_is_where(
    counter: Counter, safe: Location, moves: list[tuple[int, Any]]
) -> None:
    """Whatever is done, in whatever order: fields and ledger agree."""
    bag, _ = Location.objects.get_or_create(code="sac", defaults={"name": "Sac"})
    for number, to in moves:
        one = token(f"TK-{number:04}")
        try:
            if to == "move":
                actions.move(
                    token_ids=[one.pk], location=bag, reason="Visite", by=counter.officer, at=NOON
                )
            else:
                actions.change_state(
                    token_id=one.pk, to=to, reason="Essai", by=counter.officer, at=NOON
                )
        except policies.ForbiddenMove:
            continue
    places: Tally[int | None] = Tally()
    states = {}
    for line in TokenMovement.objects.order_by("pk"):
        places[line.origin_id] -= 1
        places[line.destination_id] += 1
        states[line.token_id] = line.after
    by_field = Tally(Token.objects.values_list("location_id", flat=True))
    kept = {place: count for place, count in places.items() if place and count}
    assert kept == {place: count for place, count in by_field.items() if place}
    assert states == dict(Token.objects.values_list("pk", "state"))


def test_a_token_given_is_not_carried_around(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    with refused("ra.token_forbidden"):
        actions.move(
            token_ids=[token("TK-0001").pk],
            location=safe,
            reason="Erreur",
            by=counter.officer,
            at=NOON,
        )


def test_a_lost_token_with_its_holder_revokes(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    actions.change_state(
        token_id=token("TK-0001").pk,
        to=TokenState.LOST,
        reason="Volé",
        by=counter.officer,
        at=NOON,
    )
    assert Certificate.objects.get().state == CertificateState.REVOKED


def test_the_batch_of_a_weak_model_tells_its_holders(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    batch = token("TK-0001").batch_id
    page = on_portal(counter.officer).get(f"/certificats/stock/?livraison={batch}")
    assert str(counter.holder) in page.content.decode()
    states = dict(queries.by_state())
    assert states["Attribué"] == 1
    assert sum(states.values()) == Token.objects.count()


# Low stock


def test_a_low_stock_is_a_line_of_the_home_page(counter: Counter, safe: Location, rf: Any) -> None:
    request = rf.get("/")
    set_urlconf("socle.config.urls_public")
    assert [one.count for one in todos.stock(request)] == [0]
    actions.count(location=safe, serials="TK-0001", by=colleague(), at=NOON)
    (line,) = todos.stock(request)
    assert line.count == 1
    assert "Coffre" in line.sentence
    set_urlconf(None)


# Sleeves


def test_receipts_go_back_in_a_numbered_sleeve_once(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    receipt = counter.hand_over(scan=PDF, scan_name="pv.pdf")
    authority = counter.file.offer.authority
    who = {"by": counter.officer, "at": NOON}
    sleeve = actions.open_sleeve(number="P-1", authority=authority, **who)
    with refused("ra.not_ready"):
        actions.send_sleeve(sleeve_id=sleeve.pk, tracking="", **who)
    assert list(queries.receipts_to_send(authority.pk)) == [receipt]
    actions.put_in_sleeve(sleeve_id=sleeve.pk, hand_over_ids=[receipt.pk], **who)
    assert not queries.receipts_to_send(authority.pk)
    other = actions.open_sleeve(number="P-2", authority=authority, **who)
    with refused("ra.already_in_a_sleeve"):
        actions.put_in_sleeve(sleeve_id=other.pk, hand_over_ids=[receipt.pk], **who)
    actions.send_sleeve(sleeve_id=sleeve.pk, tracking="RR123", **who)
    with refused("ra.not_ready"):
        actions.put_in_sleeve(sleeve_id=sleeve.pk, hand_over_ids=[receipt.pk], **who)
    assert Sleeve.objects.get(number="P-1").sent_at == NOON
    with refused("ra.token_known"):
        actions.open_sleeve(number="P-1", authority=authority, **who)


# Screens


def test_the_stock_is_kept_on_its_screens(
    counter: Counter, django_assert_max_num_queries: Any
) -> None:
    desk = on_portal(counter.officer)
    desk.post(f"{PORTAL}stock/lieux/ajouter/", {"code": "coffre", "name": "Coffre", "low_stock": 3})
    place = Location.objects.get()
    given_ = {"reference": "BL-9", "model": "Clé", "location": place.pk, "serials": "A-1\nA-2"}
    assert desk.post(f"{PORTAL}stock/recevoir/", given_).status_code == 302
    with django_assert_max_num_queries(14):
        shown = desk.get(f"{PORTAL}stock/").content.decode()
    assert "À recommander" in shown
    one = token("A-1")
    assert "Livraison BL-9" in desk.get(f"{PORTAL}stock/{one.pk}/").content.decode()
    desk.post(f"{PORTAL}stock/{one.pk}/etat/", {"to": "damaged", "reason": "Tombé"})
    assert token("A-1").state == TokenState.DAMAGED
    desk.post(f"{PORTAL}stock/inventaire/", {"location": place.pk, "serials": "A-1\nA-2"})
    assert Count.objects.get().missing == []
    assert desk.get(f"{PORTAL}stock/pochettes/").status_code == 200


def test_communes_see_nothing_of_the_stock(counter: Counter, safe: Location) -> None:
    with connection.cursor() as cursor:
        for table in ("token", "tokenmovement", "location", "count", "sleeve"):
            name = f"public.registration_authority_{table}"
            cursor.execute("SELECT has_table_privilege('socle_commune', %s, 'SELECT')", [name])
            assert cursor.fetchone() == (False,), table


def test_every_state_but_lost_leads_somewhere() -> None:
    reached = set(itertools.chain.from_iterable(policies.TOKEN_TRANSITIONS.values()))
    assert policies.TOKEN_TRANSITIONS[TokenState.LOST] == frozenset()
    assert reached | {TokenState.UNFORMATTED} == set(TokenState)


def test_drawing_up_the_receipt_sets_the_token_aside(counter: Counter, safe: Location) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare(token_serial="TK-0003")
    assert (token("TK-0003").state, token("TK-0003").file) == (TokenState.ACTIVE, counter.file)
    counter.prepare(token_serial="TK-0004")
    assert (token("TK-0003").state, token("TK-0003").file) == (TokenState.FORMATTED, None)
    counter.hand_over()
    assert token("TK-0004").location is None
    assert token("TK-0003").location == safe
