"""What is missing, and whose turn it is: pure rules on a snapshot."""

from dataclasses import replace
from datetime import date

import pytest

from tenants.onboarding import guards, policies
from tenants.onboarding.guards import Facts
from tenants.onboarding.models import CaseState, ConventionState
from tenants.onboarding.steps import BY_CODE, STEPS, Owner, Track, of_track

TODAY = date(2026, 11, 24)
NOTHING = Facts(today=TODAY)
IDENTIFIED = Facts(
    today=TODAY,
    organisation="Melle",
    population=5752,
    siret="20008151100012",
    insee="79174",
    nature="31",
    arrondissement="2",
    address="Place Bujault",
    prefecture="Préfecture des Deux-Sèvres",
    representative="Sylvie Rey",
    contact=True,
)
WITH_OPERATOR = replace(
    IDENTIFIED,
    route="membership",
    tariff_accepted_on=TODAY,
    operator="Opérateur",
    operator_valid=True,
)
DELIBERATED = replace(
    WITH_OPERATOR,
    deliberation_number="2026-45",
    session_on=TODAY,
    votes_recorded=True,
    authorisations=frozenset({"use", "convention"}),
    scope=frozenset({"acts"}),
    deliberation_generated=True,
    deliberation_copy=True,
    transmitted_on=TODAY,
    transmission_proof=True,
)
CONTRACTED = replace(
    DELIBERATED,
    contract_generated=True,
    contract_signed_by_commune_on=TODAY,
    contract_signed_by_counterparty_on=TODAY,
    contract_copy=True,
)
SIGNED = replace(
    CONTRACTED,
    convention_state="active",
    convention_generated=True,
    natures=frozenset("12346"),
    starts_on=TODAY,
    signed_by_collectivite_on=TODAY,
    sent_to_prefecture_on=TODAY,
    signed_by_prefet_on=TODAY,
    convention_copy=True,
)
LIVE = replace(
    SIGNED,
    dated={"A5": TODAY, "T1": TODAY},
    holders=1,
    certificate_valid=True,
    registered=True,
    trained=True,
    first_ar=True,
)


def whats(code: str, facts: Facts) -> list[str]:
    return [one.what for one in guards.missing(code, facts)]


def test_every_step_has_its_guard() -> None:
    assert guards.GUARDS.keys() == BY_CODE.keys()


def test_every_step_requires_known_steps_that_come_before() -> None:
    known: set[str] = set()
    for code in ("A0", "A1", "A2", "A3", "M1", "A4", "A5"):
        assert set(BY_CODE[code].requires) <= known
        known.add(code)
    assert all(set(step.requires) <= BY_CODE.keys() for step in STEPS)


def test_the_steps_of_the_practice_are_all_there() -> None:
    practice = ("A0 A1 A2 A3 A4 A5 C1 C2 C3 C4 F1 F2 T1 T2 H1 H2 H3 H4 B1 B2 P1 Z").split()
    assert set(practice) | {"M1"} == BY_CODE.keys()


def test_the_four_tracks_share_all_steps() -> None:
    assert sum(len(of_track(track)) for track in Track) == len(STEPS)


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("siret", "le SIRET"),
        ("insee", "le code INSEE"),
        ("nature", "la nature @CTES"),
        ("arrondissement", "l’arrondissement"),
        ("address", "l’adresse"),
        ("representative", "le représentant légal"),
    ],
)
def test_identity_names_the_field_it_lacks(field: str, what: str) -> None:
    assert whats("A0", replace(IDENTIFIED, **{field: ""})) == [what]


def test_a_body_that_is_no_commune_needs_no_insee_code() -> None:
    assert whats("A0", replace(IDENTIFIED, insee="", is_commune=False)) == []


def test_a_sentence_names_the_field_and_whose_turn_it_is() -> None:
    (one,) = guards.missing("A3", replace(DELIBERATED, deliberation_number=""))

    assert one.owner is Owner.COMMUNE
    assert one.sentence == (
        "Il manque le numéro de la délibération\u00a0: c’est à la commune de le saisir."
    )


@pytest.mark.parametrize("code", ["use", "convention"])
def test_a_deliberation_without_an_authorisation_is_not_complete(code: str) -> None:
    left = DELIBERATED.authorisations - {code}
    assert len(whats("A3", replace(DELIBERATED, authorisations=left))) == 1


def test_an_operator_without_homologation_is_not_enough() -> None:
    assert whats("A2", replace(WITH_OPERATOR, operator_valid=False)) == [
        "l’homologation en cours de validité de « Opérateur »"
    ]


def test_a_holder_without_phone_is_named() -> None:
    facts = replace(IDENTIFIED, holders=1, incomplete_holders=("Nathalie Petit",))
    assert whats("C1", facts) == ["la fonction ou le téléphone de Nathalie Petit"]


def test_a_dated_step_waits_for_its_date() -> None:
    assert whats("T1", SIGNED) == ["la date du paramétrage chez l’opérateur"]
    assert whats("T1", LIVE) == []


def test_a_step_waits_for_all_that_comes_before_it_in_order() -> None:
    waiting = [step.code for step in guards.waits_for("A4", IDENTIFIED)]
    assert waiting == ["A1", "A2", "A3", "M1"]


def test_a_forced_step_is_refused_with_the_first_missing_step() -> None:
    with pytest.raises(policies.OutOfTurn) as refused:
        policies.check_turn("A4", replace(CONTRACTED, transmitted_on=None))

    assert str(refused.value) == (
        "L’étape « Convention avec la préfecture » attend l’étape « Délibération » : il manque la "
        "date de transmission à la préfecture, c’est à la commune d’agir."
    )


def test_two_owners_are_named_apart() -> None:
    unsigned = replace(
        CONTRACTED, contract_signed_by_commune_on=None, contract_signed_by_counterparty_on=None
    )
    with pytest.raises(policies.OutOfTurn) as refused:
        policies.check_turn("A4", unsigned)

    assert str(refused.value).endswith(
        "il manque la signature de la commune sur le contrat, c’est à la commune d’agir ; "
        "il manque l’autre signature du contrat, c’est au syndicat d’agir."
    )


@pytest.mark.parametrize(
    ("code", "facts", "concerned"),
    [
        ("H1", replace(DELIBERATED, scope=frozenset({"acts"})), False),
        ("H1", replace(DELIBERATED, scope=frozenset({"acts", "helios"})), True),
        ("H1", NOTHING, True),
        ("B1", SIGNED, False),
        ("B1", replace(SIGNED, natures=frozenset("15")), True),
        ("P1", replace(IDENTIFIED, population=3499), True),
        ("P1", replace(IDENTIFIED, population=3500), False),
        ("P1", replace(IDENTIFIED, population=100, is_commune=False), False),
        ("Z", SIGNED, False),
        ("Z", replace(SIGNED, convention_state="renounced"), True),
        ("H2", replace(NOTHING, set_aside=frozenset({"H2"})), False),
    ],
)
def test_a_step_concerns_those_it_concerns(code: str, facts: Facts, concerned: bool) -> None:
    assert guards.applies(code, facts) is concerned


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (NOTHING, CaseState.DRAFT),
        (IDENTIFIED, CaseState.IN_PROGRESS),
        (replace(WITH_OPERATOR, deliberation_generated=True), CaseState.AWAITING_SIGNATURE),
        (replace(CONTRACTED, convention_state="generated"), CaseState.AWAITING_SIGNATURE),
        (replace(CONTRACTED, convention_state="sent_to_prefecture"), CaseState.AWAITING_STATE),
        (SIGNED, CaseState.READY),
        (LIVE, CaseState.LIVE),
        (replace(LIVE, certificate_valid=False), CaseState.READY),
        (replace(LIVE, trained=False), CaseState.READY),
        (replace(LIVE, first_ar=False), CaseState.READY),
        (replace(LIVE, starts_on=date(2027, 1, 1)), CaseState.READY),
        (replace(LIVE, convention_state="suspended"), CaseState.SUSPENDED),
    ],
)
def test_the_state_of_a_case_is_what_the_facts_say(facts: Facts, state: CaseState) -> None:
    assert policies.state_of(facts, CaseState.DRAFT) is state


def test_a_case_never_goes_back_to_the_draft() -> None:
    assert policies.state_of(NOTHING, CaseState.IN_PROGRESS) is CaseState.IN_PROGRESS


def test_every_state_has_its_transitions() -> None:
    assert policies.TRANSITIONS.keys() == set(CaseState)
    assert policies.CONVENTION_TRANSITIONS.keys() == set(ConventionState)
    assert CaseState.DRAFT not in frozenset().union(*policies.TRANSITIONS.values())


def test_nothing_follows_a_closed_case() -> None:
    for state in CaseState:
        with pytest.raises(policies.ForbiddenTransition):
            policies.check_transition(CaseState.CLOSED, state)
