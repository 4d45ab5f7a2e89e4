"""What each step still lacks, and whose turn it is. Pure: a snapshot in, sentences out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from tenants.onboarding.steps import BY_CODE, STEPS, TO_OWNER, Owner, Step, Track

SMALL_COMMUNE: Final = 3500
"""Below this population the council chooses how acts are published (CGCT L2131-1, III)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the guards look at, taken at one moment. Empty and None mean « not known yet »."""

    today: date
    organisation: str = ""
    population: int | None = None
    is_commune: bool = True

    siret: str = ""
    insee: str = ""
    nature: str = ""
    arrondissement: str = ""
    address: str = ""
    prefecture: str = ""
    representative: str = ""
    contact: bool = False

    route: str = ""
    tariff_accepted_on: date | None = None
    contract_generated: bool = False
    contract_signed_by_commune_on: date | None = None
    contract_signed_by_counterparty_on: date | None = None
    contract_copy: bool = False

    operator: str = ""
    operator_valid: bool = False

    deliberation_number: str = ""
    session_on: date | None = None
    votes_recorded: bool = False
    authorisations: frozenset[str] = frozenset()
    scope: frozenset[str] = frozenset()
    deliberation_generated: bool = False
    deliberation_copy: bool = False
    transmitted_on: date | None = None
    transmission_proof: bool = False

    convention_state: str = ""
    convention_generated: bool = False
    natures: frozenset[str] = frozenset()
    starts_on: date | None = None
    signed_by_collectivite_on: date | None = None
    sent_to_prefecture_on: date | None = None
    signed_by_prefet_on: date | None = None
    convention_copy: bool = False

    holders: int = 0
    incomplete_holders: tuple[str, ...] = ()
    certificate_file_complete: bool = False
    certificate_handed_over: bool = False
    certificate_valid: bool = False
    registered: bool = False
    trained: bool = False

    helios_missing: tuple[str, ...] = ("la fiche budgétaire",)
    dgfip_agreed_on: date | None = None
    pes_form_generated: bool = False
    pes_signed_on: date | None = None
    pes_received_on: date | None = None
    pes_copy: bool = False
    pes_acknowledged: bool = False

    first_ar: bool = False
    first_budget_ar: bool = False
    dated: Mapping[str, date] = field(default_factory=dict)
    set_aside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing: what, and who is to bring it."""

    owner: Owner
    what: str
    to_do: str

    @property
    def sentence(self) -> str:
        """« Il manque le numéro de la délibération : c’est à la commune de le saisir. »"""
        return f"Il manque {self.what}\u00a0: c’est {TO_OWNER[self.owner]} {self.to_do}."


Guard = Callable[[Facts], Iterator[Missing]]
_COMMUNE, _SYNDICAT, _PREFECTURE, _DGFIP = (
    Owner.COMMUNE, Owner.SYNDICAT, Owner.PREFECTURE, Owner.DGFIP,
)  # fmt: skip


def _lacks(present: object, owner: Owner, what: str, to_do: str) -> Iterator[Missing]:
    if not present:
        yield Missing(owner, what, to_do)


def _identity(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(facts.siret, _SYNDICAT, "le SIRET", "de compléter la fiche")
    if facts.is_commune:
        yield from _lacks(facts.insee, _SYNDICAT, "le code INSEE", "de compléter la fiche")
    yield from _lacks(facts.nature, _SYNDICAT, "la nature @CTES", "de compléter la fiche")
    yield from _lacks(facts.arrondissement, _SYNDICAT, "l’arrondissement", "de compléter la fiche")
    yield from _lacks(facts.address, _SYNDICAT, "l’adresse", "de compléter la fiche")
    yield from _lacks(facts.prefecture, _SYNDICAT, "la préfecture", "de compléter l’annuaire")
    yield from _lacks(
        facts.representative, _SYNDICAT, "le représentant légal", "de l’ajouter aux contacts"
    )
    yield from _lacks(
        facts.contact, _SYNDICAT, "un contact avec adresse électronique", "de l’ajouter"
    )


def _membership(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.route, _SYNDICAT, "la voie d’accès au service et son tarif", "de les proposer"
    )
    yield from _lacks(facts.tariff_accepted_on, _COMMUNE, "l’accord sur le tarif", "de l’accepter")


def _operator(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(facts.operator, _SYNDICAT, "l’opérateur de transmission", "de le choisir")
    if facts.operator:
        yield from _lacks(
            facts.operator_valid,
            _SYNDICAT,
            f"l’homologation en cours de validité de « {facts.operator} »",
            "de choisir un opérateur homologué",
        )


def _deliberation(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.deliberation_generated, _COMMUNE, "le projet de délibération", "de le préparer"
    )
    yield from _lacks(facts.session_on, _COMMUNE, "la date de la séance", "de la saisir")
    yield from _lacks(
        facts.deliberation_number, _COMMUNE, "le numéro de la délibération", "de le saisir"
    )
    yield from _lacks(facts.votes_recorded, _COMMUNE, "le résultat du vote", "de le saisir")
    yield from _authorisations(facts)
    yield from _lacks(
        facts.deliberation_copy, _COMMUNE, "la délibération signée (PDF)", "de la déposer"
    )
    yield from _lacks(
        facts.transmitted_on, _COMMUNE, "la date de transmission à la préfecture", "de la saisir"
    )
    yield from _lacks(
        facts.transmission_proof, _COMMUNE, "la preuve de transmission (PDF)", "de la déposer"
    )


def _authorisations(facts: Facts) -> Iterator[Missing]:
    for code, what in (
        ("use", "l’autorisation de télétransmettre"),
        ("convention", "l’autorisation de signer la convention avec le préfet"),
    ):
        if code not in facts.authorisations:
            yield Missing(_COMMUNE, what, "de la cocher dans la délibération")


def _contract(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(facts.contract_generated, _SYNDICAT, "le contrat", "de le produire")
    yield from _lacks(
        facts.contract_signed_by_commune_on,
        _COMMUNE,
        "la signature de la commune sur le contrat",
        "de le signer et de le déposer",
    )
    yield from _lacks(
        facts.contract_signed_by_counterparty_on,
        _SYNDICAT,
        "l’autre signature du contrat",
        "de la recueillir",
    )
    yield from _lacks(facts.contract_copy, _SYNDICAT, "le contrat signé (PDF)", "de le déposer")


def _convention(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(facts.convention_generated, _SYNDICAT, "la convention", "de la produire")
    yield from _lacks(facts.natures, _SYNDICAT, "la liste des actes concernés", "de la compléter")
    yield from _lacks(facts.starts_on, _SYNDICAT, "la date de début", "de la saisir")
    yield from _lacks(
        facts.signed_by_collectivite_on,
        _COMMUNE,
        "la signature de la collectivité sur la convention",
        "de la signer et de la déposer",
    )
    yield from _lacks(
        facts.sent_to_prefecture_on,
        _SYNDICAT,
        "l’envoi de la convention à la préfecture",
        "de l’envoyer",
    )
    yield from _lacks(
        facts.signed_by_prefet_on, _PREFECTURE, "la signature du préfet", "de la donner"
    )
    yield from _lacks(
        facts.convention_copy, _PREFECTURE, "l’exemplaire signé des deux parties", "de le retourner"
    )


def _dated(code: str, owner: Owner, what: str, to_do: str) -> Guard:
    def guard(facts: Facts) -> Iterator[Missing]:
        yield from _lacks(facts.dated.get(code), owner, what, to_do)

    return guard


def _holders(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.holders, _COMMUNE, "un télétransmetteur habilité", "de le désigner au syndicat"
    )
    for name in facts.incomplete_holders:
        yield Missing(_COMMUNE, f"la fonction ou le téléphone de {name}", "de les communiquer")


def _file(facts: Facts) -> Iterator[Missing]:
    complete = facts.certificate_file_complete or facts.certificate_handed_over
    yield from _lacks(
        complete or facts.certificate_valid,
        _COMMUNE,
        "un dossier de certificat complet",
        "de fournir les pièces",
    )


def _hand_over(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.certificate_handed_over or facts.certificate_valid,
        _SYNDICAT,
        "la remise du certificat en face à face",
        "de fixer le rendez-vous",
    )


def _declared(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.certificate_valid,
        _SYNDICAT,
        "un certificat en cours de validité rattaché à son porteur",
        "de le déclarer",
    )


def _registered(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.registered or facts.trained,
        _SYNDICAT,
        "l’inscription à une formation",
        "de l’inscrire",
    )


def _trained(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.trained, _COMMUNE, "la présence d’un agent à la formation", "d’y participer"
    )


def _first_act(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.first_ar, _COMMUNE, "le premier accusé de réception @CTES", "d’envoyer un acte"
    )


def _helios_sheet(facts: Facts) -> Iterator[Missing]:
    for what in facts.helios_missing:
        yield Missing(_COMMUNE, what, "de compléter la fiche HELIOS")


def _agreement(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.dgfip_agreed_on, _DGFIP, "l’accord de la DGFiP", "de le donner après ses essais"
    )


def _pes_form(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.pes_form_generated, _SYNDICAT, "le formulaire d’adhésion au PES", "de le produire"
    )
    yield from _lacks(
        facts.pes_signed_on and facts.pes_copy,
        _COMMUNE,
        "le formulaire d’adhésion au PES signé",
        "de le signer et de le déposer",
    )
    yield from _lacks(
        facts.pes_received_on,
        _DGFIP,
        "la réception du formulaire par le comptable",
        "de la confirmer",
    )


def _first_flow(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.pes_acknowledged, _SYNDICAT, "le premier acquit PES", "d’accompagner l’envoi"
    )


def _first_budget(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.first_budget_ar,
        _COMMUNE,
        "l’accusé de réception d’un document budgétaire",
        "de l’envoyer",
    )


def _renounced(facts: Facts) -> Iterator[Missing]:
    yield from _lacks(
        facts.convention_state == "renounced",
        _COMMUNE,
        "la date d’effet de la renonciation",
        "de la notifier",
    )


GUARDS: Final[dict[str, Guard]] = {
    "A0": _identity,
    "A1": _membership,
    "A2": _operator,
    "A3": _deliberation,
    "M1": _contract,
    "A4": _convention,
    "A5": _dated("A5", _SYNDICAT, "la date d’envoi à l’opérateur", "de l’envoyer et de la dater"),
    "C1": _holders,
    "C2": _file,
    "C3": _hand_over,
    "C4": _declared,
    "F1": _registered,
    "F2": _trained,
    "H1": _helios_sheet,
    "H2": _agreement,
    "H3": _pes_form,
    "H4": _first_flow,
    "T1": _dated("T1", _SYNDICAT, "la date du paramétrage chez l’opérateur", "de le faire"),
    "T2": _first_act,
    "B1": _dated("B1", _COMMUNE, "la mise à jour du logiciel budgétaire", "de la confirmer"),
    "B2": _first_budget,
    "P1": _dated("P1", _COMMUNE, "le mode de publicité des actes", "de le choisir"),
    "Z": _renounced,
}


def missing(code: str, facts: Facts) -> list[Missing]:
    """What keeps the step `code` from being complete, in the order to bring it."""
    return list(GUARDS[code](facts))


def applies(code: str, facts: Facts) -> bool:
    """Whether the step concerns this body, given what its council and its convention say."""
    if code in facts.set_aside:
        return False
    step = BY_CODE[code]
    if step.track is Track.HELIOS:
        return not facts.scope or "helios" in facts.scope
    if code in {"B1", "B2"}:
        return not facts.natures or "5" in facts.natures
    if code == "P1":
        return facts.is_commune and (facts.population or 0) < SMALL_COMMUNE
    return code != "Z" or facts.convention_state == "renounced"


def is_done(code: str, facts: Facts) -> bool:
    """Whether nothing is missing any more, or the step concerns others."""
    return not applies(code, facts) or not missing(code, facts)


def waits_for(code: str, facts: Facts) -> list[Step]:
    """The steps not done that the step `code` requires, directly or not, in their order."""
    needed: set[str] = set()

    def walk(one: str) -> None:
        for required in BY_CODE[one].requires:
            if required not in needed and not is_done(required, facts):
                needed.add(required)
                walk(required)

    walk(code)
    return [step for step in STEPS if step.code in needed]


def is_open(code: str, facts: Facts) -> bool:
    """Whether the turn of the step `code` has come."""
    return applies(code, facts) and not waits_for(code, facts)


def due_on(code: str, today: date) -> date:
    """The day by which a step whose turn comes today should be done."""
    return today + timedelta(days=BY_CODE[code].due_days)
