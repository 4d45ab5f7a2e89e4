"""Working sheets printed on demand: what one side needs to know to do its step."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from socle.accounts.models import Person
from socle.directory.models import Organisation
from socle.documents.model import (
    Block,
    Column,
    Document,
    Fields,
    Items,
    Paragraph,
    Signatory,
    Signatures,
    Style,
    Table,
)
from tenants.onboarding import wording
from tenants.onboarding.models import OnboardingCase
from tenants.onboarding.papers import common, helios
from tenants.onboarding.papers.convention import NATURES

TITLES: Final[dict[str, str]] = {
    "A0": "Fiche collectivité",
    "A2": "Fiche Références TdT",
    "A5": "Bordereau d’envoi à l’opérateur",
    "C1": "Liste des utilisateurs",
    "H1": "Fiche HELIOS",
    "T1": "Fiche de paramétrage",
    "Z": "Lettre de renonciation",
}
"""The sheets there are, by the step that uses them."""


def build(
    code: str,
    case: OnboardingCase,
    *,
    syndicat: Organisation,
    people: Sequence[Person],
    at: datetime,
) -> Document:
    """The sheet of step `code`, one of TITLES; `people` are the body's transmitters."""
    title = TITLES[code]
    return Document(
        title=title,
        subtitle=wording.full_name(case.organisation),
        issuer=common.syndicat_head(syndicat),
        reference=f"{title} — {wording.full_name(case.organisation)}",
        at=at,
        exercise=case.operator is not None and case.operator.is_exercise,
        blocks=_BLOCKS[code](case, syndicat, people),
    )


Blocks = Callable[[OnboardingCase, Organisation, Sequence[Person]], list[Block]]


def _identity(
    case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]
) -> list[Block]:
    return [common.identity(case.organisation), _contacts(case.organisation)]


def _contacts(organisation: Organisation) -> Table:
    rows = tuple(
        (str(one), one.function, one.email, one.phone) for one in organisation.contacts.all()
    )
    columns = (Column("Nom", share=2), Column("Fonction", share=2), Column("Courriel", share=3))
    return Table((*columns, Column("Téléphone", share=2)), rows, title="Contacts")


def _device(case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]) -> list[Block]:
    signed = case.route.signed_by_counterparty_on if hasattr(case, "route") else None
    contract = Fields((("Date du contrat ou de l’adhésion", wording.long_date(signed)),))
    return [common.device(case.operator), common.mutualisation(syndicat), contract]


def _slip(case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]) -> list[Block]:
    signed = wording.long_date(case.convention.signed_by_prefet_on)
    return [
        common.identity(case.organisation, title="Collectivité"),
        common.device(case.operator, title="Destinataire"),
        Paragraph("Le syndicat adresse à l’opérateur, au nom de la collectivité :"),
        Items((f"la copie de la convention signée avec le représentant de l’État le {signed}.",)),
        Paragraph(f"Envoyé le {wording.BLANK}, par {wording.BLANK}."),
    ]


def _users(case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]) -> list[Block]:
    rows = tuple((str(one), one.function, one.email, one.phone) for one in people)
    columns = (Column("Nom", share=2), Column("Fonction", share=2), Column("Courriel", share=3))
    table = Table((*columns, Column("Téléphone", share=2)), rows, title="Télétransmetteurs")
    return [common.identity(case.organisation), table]


def _budget(case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]) -> list[Block]:
    return [common.identity(case.organisation), helios.budget(case.helios)]


def _settings(
    case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]
) -> list[Block]:
    convention = case.convention
    covered = ", ".join(label for code, label in NATURES.items() if code in convention.natures)
    scope = Fields(
        (
            ("Convention", str(convention)),
            ("Date de début", wording.long_date(convention.starts_on)),
            ("Actes concernés", covered),
            ("Modules", "@CTES et HELIOS" if hasattr(case, "helios") else "@CTES"),
        ),
        title="Paramètres",
    )
    steps = (
        "créer la collectivité chez l’opérateur ;",
        "déclarer les utilisateurs et leurs certificats ;",
        "télécharger la nomenclature des matières de la préfecture.",
    )
    return [*_users(case, syndicat, people), scope, Items(steps, numbered=True)]


def _renunciation(
    case: OnboardingCase, syndicat: Organisation, people: Sequence[Person]
) -> list[Block]:
    convention = case.convention
    effect = wording.long_date(convention.renounced_on)
    return [
        Paragraph(f"À l’attention de {convention.prefet_title}", Style.CENTERED),
        Paragraph(
            f"{wording.full_name(case.organisation)} renonce, à compter du {effect}, à la "
            f"transmission électronique de ses actes prévue par la {convention}, en application de "
            "son article relatif à la renonciation (article R2131-3 du code général des "
            "collectivités territoriales)."
        ),
        Paragraph(
            "À compter de cette date, les actes sont transmis sur papier. Les archives des "
            "transmissions sont restituées à la collectivité et les certificats de ses agents "
            "sont révoqués."
        ),
        Signatures(
            (Signatory(convention.representative_quality, convention.representative_name),),
            f"Fait à {case.organisation.name}, le {wording.BLANK}",
        ),
    ]


_BLOCKS: Final[dict[str, Blocks]] = {
    "A0": _identity,
    "A2": _device,
    "A5": _slip,
    "C1": _users,
    "H1": _budget,
    "T1": _settings,
    "Z": _renunciation,
}
