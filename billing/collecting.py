"""From facts to items: what each room did that is to be paid, collected once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from django.db.models import Q

from billing import policies, queries
from billing.models import BillableItem, Price, Product
from billing.policies import Rated
from billing.queries import HandOver
from socle.core.refusals import Refusal
from socle.directory.models import Membership, Organisation


@dataclass(frozen=True, slots=True)
class Collected:
    """How many items were made, and what could not be priced, in sentences."""

    created: int
    problems: tuple[str, ...]


@dataclass(slots=True)
class Collector:
    """The items that the facts up to `until` give and that were not collected yet."""

    until: date
    at: datetime
    problems: list[str] = field(default_factory=list)
    _prices: dict[str, list[Price]] = field(default_factory=dict)
    _products: dict[str, Product] = field(default_factory=dict)

    def items(self) -> Iterator[BillableItem]:
        """New items, unsaved; what cannot be priced is written in `problems` and left out."""
        self._products = {product.code: product for product in Product.objects.all()}
        known = set(BillableItem.objects.values_list("source", flat=True))
        for make in (self._memberships, self._certificates):
            yield from make(known)

    def _memberships(self, known: set[str]) -> Iterator[BillableItem]:
        for membership in queries.memberships(self.until):
            source = f"membership:{membership.organisation_id}:{self.until.year}"
            if source not in known:
                yield from self._tried(partial(self._membership, membership, source))

    def _membership(self, membership: Membership, source: str) -> BillableItem:
        body = membership.organisation
        on = max(membership.joined_on, date(self.until.year, 1, 1))
        price = self._price(policies.ADHESION, body, on)
        rated = policies.rate_adhesion(price, population=body.population)
        return self._item(body, source, policies.ADHESION, on, rated, f"Adhésion {on.year}")

    def _certificates(self, known: set[str]) -> Iterator[BillableItem]:
        members = {one.organisation_id: one for one in Membership.objects.all()}
        served = _served()
        for hand_over in queries.hand_overs(date(self.until.year - 1, 1, 1), self.until):
            source = f"certificate:{hand_over.certificate_id}"
            if source in known:
                continue
            body = hand_over.organisation
            make = partial(
                self._certificate,
                hand_over,
                source,
                members.get(body.pk),
                is_first=body.pk not in served,
            )
            for item in self._tried(make):
                if item.is_first_free or item.unit_price:
                    served.add(body.pk)
                yield item

    def _certificate(
        self,
        hand_over: HandOver,
        source: str,
        membership: Membership | None,
        *,
        is_first: bool,
    ) -> BillableItem:
        body, on = hand_over.organisation, hand_over.on
        code = policies.product_code(hand_over.price_code)
        price = self._price(code, body, on)
        is_member = membership is not None and policies.is_member(
            membership.joined_on, membership.left_on, on=on
        )
        rated = policies.rate_certificate(price, is_member=is_member, is_first=is_first)
        label = f"{self._products[code].label}, remis à {hand_over.person} le {on:%d/%m/%Y}"
        item = self._item(body, source, code, on, rated, label)
        item.is_first_free = rated.rule == policies.FIRST_FREE
        return item

    def _price(self, code: str, body: Organisation, on: date) -> Any:
        if code not in self._prices:
            self._prices[code] = queries.prices(code)
        product = self._products.get(code)
        return policies.price_for(
            self._prices[code],
            product=product.label if product else code,
            on=on,
            population=body.population,
        )

    def _item(
        self, body: Organisation, source: str, code: str, on: date, rated: Rated, label: str
    ) -> BillableItem:
        return BillableItem(
            organisation=body,
            product=self._products[code],
            source=source,
            happened_on=on,
            label=label,
            rule=rated.rule,
            unit_price=rated.unit_price,
            regime=rated.regime,
            rate=rated.rate,
            collected_at=self.at,
        )

    def _tried(self, make: Callable[[], BillableItem]) -> Iterator[BillableItem]:
        try:
            yield make()
        except Refusal as refusal:
            sentence = str(refusal)
            if sentence not in self.problems:
                self.problems.append(sentence)


def _served() -> set[int]:
    """The bodies whose next certificate is not their first: one was billed, or given."""
    counted = Q(is_first_free=True) | Q(unit_price__gt=0)
    found = BillableItem.objects.filter(counted, source__startswith="certificate:")
    return set(found.values_list("organisation", flat=True))
