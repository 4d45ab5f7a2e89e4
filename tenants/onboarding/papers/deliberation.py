"""The délibération by which an assembly chooses to transmit electronically."""

from datetime import datetime

from socle.directory.models import Organisation
from socle.documents.model import (
    Article,
    Articles,
    Block,
    Document,
    Fields,
    Paragraph,
    Signatory,
    Signatures,
    Strong,
    Style,
)
from tenants.onboarding import wording
from tenants.onboarding.models import Authorisation, Deliberation, OnboardingCase, Scope
from tenants.onboarding.papers import common


def build(
    case: OnboardingCase, deliberation: Deliberation, *, syndicat: Organisation, at: datetime
) -> Document:
    """The whole délibération; what the session has not yet said is left blank.

    Contents: CGCT L2121-17 and L2121-20 (members and votes), L2121-23 (signatures of the president
    and of the secretary), L2131-1, L2131-2 and R2131-1 to R2131-4 (transmission).
    """
    organisation = case.organisation
    number = wording.or_blank(deliberation.number)
    return Document(
        title=f"Délibération n° {number}",
        subtitle=f"Séance du {wording.long_date(deliberation.session_on)}",
        issuer=common.letterhead(organisation),
        reference=f"{wording.full_name(organisation)} — délibération n° {number}",
        at=at,
        exercise=_is_exercise(case),
        blocks=(
            Paragraph((Strong("Objet : "), f"{subject(deliberation)}.")),
            _members(deliberation),
            _opening(organisation, deliberation),
            *_visas(organisation, deliberation),
            *_reasons(case, syndicat),
            _decides(organisation, deliberation),
            Articles(tuple(_articles(case, deliberation, syndicat))),
            _signatures(organisation, deliberation),
            _enforceable(),
            common.APPEAL,
        ),
    )


def subject(deliberation: Deliberation) -> str:
    """What the délibération is about, in one line."""
    if Scope.HELIOS in deliberation.scope:
        return "transmission électronique des actes et des flux comptables"
    return "transmission électronique des actes au représentant de l’État"


def _is_exercise(case: OnboardingCase) -> bool:
    return case.operator is not None and case.operator.is_exercise


def _members(deliberation: Deliberation) -> Fields:
    one = deliberation
    return Fields(
        (
            ("Date de convocation", wording.long_date(one.convened_on)),
            ("Membres en exercice", wording.or_blank(one.in_office)),
            ("Présents", wording.or_blank(one.present)),
            ("Représentés", wording.or_blank(one.represented)),
            ("Votants", wording.or_blank(one.voting)),
            ("Secrétaire de séance", wording.or_blank(one.secretary)),
        )
    )


def _opening(organisation: Organisation, deliberation: Deliberation) -> Paragraph:
    place = wording.or_blank(deliberation.place)
    again = ", sur seconde convocation" if deliberation.second_convocation else ""
    reporter = f", sur le rapport de {deliberation.reporter}" if deliberation.reporter else ""
    return Paragraph(
        f"Le {wording.long_date(deliberation.session_on)}, le {wording.assembly(organisation)} de "
        f"{wording.the_body(organisation)}, légalement convoqué{again}, s’est réuni à {place} sous "
        f"la présidence de {wording.or_blank(deliberation.president)}{reporter}."
    )


def _visas(organisation: Organisation, deliberation: Deliberation) -> list[Block]:
    code = "le code général des collectivités territoriales"
    visas = [
        f"{code}, notamment ses articles L2131-1, L2131-2 et R2131-1 à R2131-4",
        "l’arrêté du 26 octobre 2005 modifié portant approbation d’un cahier des charges des "
        "dispositifs de télétransmission des actes soumis au contrôle de légalité et fixant une "
        "procédure d’homologation de ces dispositifs",
    ]
    if organisation.kind != "commune":
        visas.insert(1, f"{code}, notamment ses articles L5211-3 et L5211-4")
    if Scope.HELIOS in deliberation.scope:
        visas.append(f"l’article D1617-23 du même {code.removeprefix('le ')}")
    return [Paragraph(f"Vu {visa} ;") for visa in visas]


def _reasons(case: OnboardingCase, syndicat: Organisation) -> list[Block]:
    device = f"« {case.operator.name} », exploité par {case.operator.company}"
    return [
        Paragraph(
            "Considérant que la transmission par voie électronique rend les actes exécutoires sans "
            "délai d’acheminement et supprime l’envoi du papier ;"
        ),
        Paragraph(
            f"Considérant que {wording.the(syndicat.name)} met à la disposition de ses membres le "
            f"dispositif de transmission {device}, ainsi que l’enregistrement des certificats, la "
            "formation et l’accompagnement des agents ;"
        ),
    ]


def _decides(organisation: Organisation, deliberation: Deliberation) -> Paragraph:
    one = deliberation
    votes = (
        f"par {wording.or_blank(one.votes_for)} voix pour, {wording.or_blank(one.votes_against)} "
        f"voix contre et {_abstentions(one.abstentions)}"
    )
    body = wording.assembly(organisation).upper()
    return Paragraph(f"LE {body}, après en avoir délibéré, {votes}, DÉCIDE :", Style.DECISION)


def _abstentions(count: int | None) -> str:
    return f"{wording.or_blank(count)} abstention{'s' if (count or 0) > 1 else ''}"


def _articles(
    case: OnboardingCase, deliberation: Deliberation, syndicat: Organisation
) -> list[Article]:
    organisation, given = case.organisation, set(deliberation.authorisations)
    head = wording.head(organisation)
    said = {
        Authorisation.USE: f"De transmettre par voie électronique {_scope(deliberation)}, au moyen "
        f"du dispositif « {case.operator.name} ».",
        Authorisation.JOIN: "D’adhérer au service mutualisé de transmission "
        f"{wording.of_the(syndicat.name)} et d’autoriser {head} à signer la convention d’adhésion.",
        Authorisation.CONTRACT: f"D’autoriser {head} à signer le marché ou le contrat nécessaire à "
        "l’usage de ce dispositif.",
        Authorisation.CONVENTION: f"D’autoriser {head} à signer avec le représentant de l’État "
        "dans le département la convention prévue à l’article R2131-3 du code général des "
        "collectivités territoriales.",
        Authorisation.AMENDMENTS: f"D’autoriser {head} à signer les avenants à cette convention, "
        "notamment en cas de changement de dispositif ou d’extension aux documents budgétaires.",
        Authorisation.TRANSMITTERS: f"D’autoriser {head} à désigner les agents chargés de la "
        "transmission et à demander pour eux les certificats d’authentification nécessaires.",
    }
    decided = [text for authorisation, text in said.items() if authorisation in given]
    decided.append(
        f"{head.capitalize()} est chargé de l’exécution de la présente délibération, qui sera "
        "transmise au représentant de l’État et publiée."
    )
    return [Article("", (Paragraph(text),)) for text in decided]


def _scope(deliberation: Deliberation) -> str:
    *others, last = [scope.label for scope in Scope if scope in deliberation.scope] or ["les actes"]
    return f"{', '.join(others)} et {last}" if others else last


def _signatures(organisation: Organisation, deliberation: Deliberation) -> Signatures:
    place = f"Fait à {organisation.name}, le {wording.long_date(deliberation.session_on)}"
    return Signatures(
        (
            Signatory("Le président de séance", deliberation.president, "Signature et cachet"),
            Signatory("Le secrétaire de séance", deliberation.secretary, "Signature"),
        ),
        place,
    )


def _enforceable() -> Paragraph:
    return Paragraph(
        f"Acte rendu exécutoire après transmission au représentant de l’État le {wording.BLANK} et "
        f"publication le {wording.BLANK} (article L2131-1 du code général des collectivités "
        "territoriales).",
        Style.NOTE,
    )
