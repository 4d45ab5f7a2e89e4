"""What may be billed, at what price, and what may be issued. No query, no clock, no HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Protocol

from billing.models import InvoiceKind, InvoiceState, VatRegime
from socle.core.refusals import Refusal

ADHESION: Final = "ADH"
CERTIFICATE: Final = "CERT"
PAYMENT_DELAY: Final = timedelta(days=30)
"""Code de la commande publique, R2192-10: local authorities pay within thirty days."""

FIRST_FREE: Final = "Premier certificat offert aux adhérents"
LIST_PRICE: Final = "Tarif en vigueur"

MENTIONS: Final[dict[VatRegime, str]] = {
    VatRegime.OUT_OF_SCOPE: "Hors du champ d’application de la TVA (art. 256 B du CGI)",
    VatRegime.EXEMPT: "Exonération de TVA (art. 261 B du CGI)",
    VatRegime.FRANCHISE: "TVA non applicable, art. 293 B du CGI",
    VatRegime.TAXED: "",
}
SERIES: Final[dict[InvoiceKind, str]] = {InvoiceKind.INVOICE: "F", InvoiceKind.CREDIT_NOTE: "A"}


class MissingPrice(Refusal):
    """No price of the list is valid."""

    code = "billing.missing_price"


class UnknownPopulation(Refusal):
    """The stratum cannot be known."""

    code = "billing.unknown_population"


class WrongQuantity(Refusal):
    """A quantity below one."""

    code = "billing.wrong_quantity"


class WrongPrice(Refusal):
    """A price, a rate or a validity that cannot be."""

    code = "billing.wrong_price"


class NothingToBill(Refusal):
    """No open item, or nothing to claim."""

    code = "billing.nothing_to_bill"


class EmptyDraft(Refusal):
    """A draft without lines."""

    code = "billing.empty_draft"


class Incomplete(Refusal):
    """A mandatory mention is missing (CGI annexe II, 242 nonies A)."""

    code = "billing.incomplete"


class AlreadyIssued(Refusal):
    """An issued invoice is corrected by a credit note only."""

    code = "billing.already_issued"


class NotCreditable(Refusal):
    """Only an issued invoice without credit note gets one."""

    code = "billing.not_creditable"


class Priced(Protocol):
    """The facts of a price that the rules look at."""

    population_from: int
    population_until: int | None
    valid_from: date
    valid_until: date | None
    unit_price: Decimal
    regime: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Rated:
    """What an item costs and by which rule, in the words of its line."""

    unit_price: Decimal
    regime: str
    rate: Decimal
    rule: str


def price_for(
    prices: Iterable[Priced], *, product: str, on: date, population: int | None
) -> Priced:
    """The price valid on that day for a body of `population` inhabitants.

    `product` names the product in the refusal. A body without population (an EPCI, a new commune)
    may only be billed where one price holds for all. Raises MissingPrice, UnknownPopulation.
    """
    valid = [
        price
        for price in prices
        if price.valid_from <= on and (price.valid_until is None or on <= price.valid_until)
    ]
    if population is None and any(has_stratum(price) for price in valid):
        raise UnknownPopulation(
            f"Le tarif « {product} » dépend de la population, qui n’est pas connue : complétez la "
            "fiche de l’organisme dans l’annuaire."
        )
    for price in valid:
        if _covers(price, population or 0):
            return price
    raise MissingPrice(
        f"Aucun tarif du produit « {product} » n’est en vigueur le {on:%d/%m/%Y}"
        f"{_inhabitants(population)} : ajoutez-le dans la liste des prix."
    )


def has_stratum(price: Priced) -> bool:
    """Whether the price holds for some populations only."""
    return price.population_from > 0 or price.population_until is not None


def stratum(price: Priced) -> str:
    """The stratum in words; "" when the price holds for all."""
    if not has_stratum(price):
        return ""
    if price.population_until is None:
        return f"{_grouped(price.population_from)} habitants et plus"
    return f"{_grouped(price.population_from)} à {_grouped(price.population_until)} habitants"


def rate_adhesion(price: Priced, *, population: int | None) -> Rated:
    """A year of membership: due in full, by stratum of population."""
    words, rule = stratum(price), LIST_PRICE
    if words:
        rule = f"Strate de {words} : {_grouped(population or 0)}"
    return Rated(price.unit_price, price.regime, price.rate, rule)


def rate_certificate(price: Priced, *, is_member: bool, is_first: bool) -> Rated:
    """A certificate handed over: the first one of a member body is free."""
    if is_member and is_first and price.unit_price:
        return Rated(Decimal("0.00"), price.regime, price.rate, FIRST_FREE)
    return Rated(price.unit_price, price.regime, price.rate, LIST_PRICE)


def product_code(price_code: str) -> str:
    """The product that bills an offer: the one it names, else the common certificate."""
    return price_code or CERTIFICATE


def is_member(joined_on: date | None, left_on: date | None, *, on: date) -> bool:
    """Whether a body belonged to the syndicat on that day."""
    return joined_on is not None and joined_on <= on and (left_on is None or on < left_on)


def check_quantity(quantity: int) -> None:
    """Refuse nothing and less than nothing."""
    if quantity < 1:
        raise WrongQuantity(
            "La quantité doit être d’au moins 1 : pour rendre de l’argent, faites un avoir.",
            field="quantity",
        )


def check_price(unit_price: Decimal, regime: str, rate: Decimal) -> None:
    """Refuse a negative price, and a rate that does not go with the regime."""
    if unit_price < 0:
        raise WrongPrice("Un prix ne peut pas être négatif.", field="unit_price")
    if (regime == VatRegime.TAXED) != (rate > 0):
        raise WrongPrice(
            "Un produit taxable a un taux de TVA, les autres régimes n’en ont pas : corrigez l’un "
            "ou l’autre.",
            field="rate",
        )


def check_new_version(valid_from: date, *, replaced_from: date, today: date) -> None:
    """Refuse a version that would rewrite the past."""
    if valid_from < today or valid_from <= replaced_from:
        raise WrongPrice(
            f"Le nouveau tarif prendrait effet le {valid_from:%d/%m/%Y}, trop tôt : choisissez une "
            f"date à partir d’aujourd’hui et après le {replaced_from:%d/%m/%Y}.",
            field="valid_from",
        )


def check_current(valid_until: date | None) -> None:
    """Refuse to revise a version that is over: the one that replaced it is revised instead."""
    if valid_until is not None:
        raise WrongPrice(
            "Cette version du tarif est déjà remplacée : modifiez la version en vigueur.",
            field="valid_from",
        )


def check_free(label: str, *, is_taken: bool) -> None:
    """Refuse two prices of one product for the same body on the same day."""
    if is_taken:
        raise WrongPrice(
            f"Le produit « {label} » a déjà un tarif pour ces populations et ces dates : modifiez "
            "celui-là, ou choisissez une autre strate.",
            field="population_from",
        )


def check_claims(total: Decimal, who: str) -> None:
    """Refuse a draft that would claim nothing: what is free goes with the next invoice."""
    if total <= 0:
        raise NothingToBill(
            f"Il n’y a rien à réclamer à « {who} » pour l’instant : une ligne offerte part avec la "
            "facture suivante."
        )


def check_editable(state: str) -> None:
    """Refuse to change what was issued."""
    if state != InvoiceState.DRAFT:
        raise AlreadyIssued(
            "Cette facture est émise : elle ne peut plus changer, seul un avoir la corrige."
        )


def check_issue(*, lines: int, total: Decimal, who: str) -> None:
    """Refuse to issue a draft that says nothing, or claims nothing."""
    if not lines:
        raise EmptyDraft(
            f"Le brouillon pour « {who} » n’a aucune ligne : ajoutez-en une ou supprimez-le."
        )
    check_claims(total, who)


def check_party(name: str, siret: str) -> None:
    """Refuse to name on an invoice a body whose SIRET is unknown."""
    if not siret:
        raise Incomplete(
            f"Le SIRET de « {name} » manque et doit figurer sur la facture : complétez sa fiche "
            "dans l’annuaire."
        )


def check_credit(kind: str, state: str, *, has_credit_note: bool) -> None:
    """Refuse a credit note on a draft, on a credit note, or a second one."""
    if kind != InvoiceKind.INVOICE or state != InvoiceState.ISSUED or has_credit_note:
        raise NotCreditable(
            "Un avoir ne corrige qu’une facture émise, et une seule fois : celle-ci n’en prend pas."
        )


def number(kind: InvoiceKind, year: int, rank: int, *, mark: str = "") -> str:
    """« 2026-F-00001 »: at most 20 characters, as NumeroFacture of PES-ASAP wants.

    `mark` tells the series of another server (« 2026-F-EST-00001 »): article 242 nonies A of
    annexe II of the CGI wants unique numbers, and lets several series have a prefix each.
    """
    return f"{year}-{SERIES[kind]}-{mark}{'-' if mark else ''}{rank:05d}"


def mentions(regimes: Iterable[str]) -> list[str]:
    """The mentions the regimes of an invoice ask for, each once."""
    found = {MENTIONS[VatRegime(regime)] for regime in regimes}
    return sorted(mention for mention in found if mention)


def _covers(price: Priced, population: int) -> bool:
    return price.population_from <= population and (
        price.population_until is None or population <= price.population_until
    )


def _inhabitants(population: int | None) -> str:
    return "" if population is None else f" pour {_grouped(population)} habitants"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")
