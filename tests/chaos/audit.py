"""`python -m tests.chaos.audit LEDGER STATE`: what became of every deposit, in JSON.

It asks the database and the operator's own store, and believes neither the façade nor the client.
"""

import json
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

from tests.chaos.operator import TOLD


class Books:
    """The operator's store: names, digests, returns."""

    def __init__(self, office: Path) -> None:
        with sqlite3.connect(f"file:{office}?mode=ro", uri=True) as db:
            self.deposits = {
                (kind, name): (digest, count, state)
                for kind, name, digest, count, state in db.execute(
                    "SELECT kind, name, sha256, count, state FROM deposits"
                )
            }
            self.returns = Counter(digest for (digest,) in db.execute("SELECT sha256 FROM returns"))
            self.listed = db.execute(
                "SELECT count(*) FROM returns WHERE acknowledged_at IS NULL"
            ).fetchone()[0]
        told = office.parent / TOLD
        self.poison = set(told.read_text().split()) if told.exists() else set()


class Audit:
    """The faults found, by kind: lost, doubled, stuck, false."""

    def __init__(self, ledger: list[dict[str, Any]], books: Books) -> None:
        self.ledger, self.books = ledger, books
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.figures: dict[str, Any] = {}
        self.waits: list[float] = []

    def run(self) -> None:
        """Look at everything."""
        from django_tenants.utils import schema_context

        self.read_again()
        by_place = defaultdict(list)
        for told in self.ledger:
            by_place[told["place"]["schema"]].append(told)
        for schema, those in by_place.items():
            with schema_context(schema):
                for told in those:
                    self.look_at(schema, told)
        self.look_at_the_corridor()
        self.look_at_the_journals()

    def read_again(self) -> None:
        """Press « Relire » on the desk, once, for each right answer that stands there."""
        from django.utils import timezone

        from socle.delivery import actions, queries

        shown = queries.unread_inbound(at=timezone.now()).exclude(sha256__in=self.books.poison)
        keys = list(shown.values_list("pk", flat=True))
        self.figures["read_again"] = len(keys)
        for key in keys:
            actions.understand(inbound_id=key)

    def look_at(self, schema: str, told: dict[str, Any]) -> None:
        """One deposit: once here, once at the operator, answered once."""
        found = list(_rows(told))
        what = f"{told['kind']} {told['name']}"
        if told["taken"] and not found:
            self.faults["lost"].append(f"{what} : annoncé pris, absent de la base")
        if len(found) > 1:
            self.faults["doubled"].append(f"{what} : {len(found)} fois dans la base")
        for refusal in told["refusals"]:
            self.faults["false"].append(f"{what} : {refusal[:200]}")
        for row in found[:1]:
            self.look_at_the_row(schema, told, row, what)

    def look_at_the_row(self, schema: str, told: dict[str, Any], row: Any, what: str) -> None:
        """The row of a deposit, its file in the outbox, its answer."""
        acts = told["kind"] == "actes"
        number = str(row.pk * 10 + 1 if acts else row.pk)
        if told["number"] not in {"", number}:
            self.faults["false"].append(f"{what} : numéro {told['number']} au lieu de {number}")
        subject = row.transactions.get(kind="1-1") if acts else row
        self.look_at_the_file(schema, told["kind"], subject.pk, what)
        if subject.answered_at:
            self.waits.append(subject.answered_at.timestamp() - told["began"])
        good = ("acknowledged", "actes.acknowledged") if acts else (
            "accepted", "helios.acquit_received"
        )  # fmt: skip
        times = _told_times(row, good[1])
        if row.state != good[0]:
            self.faults["stuck"].append(f"{what} : resté « {row.get_state_display()} »")
        elif times != 1:
            self.faults["doubled"].append(f"{what} : réponse appliquée {times} fois")

    def look_at_the_file(self, schema: str, kind: str, subject: int, what: str) -> None:
        """What the outbox says has gone is at the operator, once, with the same bytes."""
        from socle.delivery.models import Outbound

        sent = list(Outbound.objects.filter(schema=schema, protocol=kind, subject_id=subject))
        if len(sent) != 1:
            fault = "doubled" if sent else "lost"
            self.faults[fault].append(f"{what} : {len(sent)} ligne(s) d'envoi")
        for one in sent:
            digest, count, _ = self.books.deposits.get((kind, one.name), ("", 0, ""))
            if one.state == "sent" and digest != one.sha256:
                self.faults["lost"].append(f"{what} : « {one.name} » n'est pas chez l'opérateur")
            if count > 1:
                self.faults["doubled"].append(f"{what} : « {one.name} » remis {count} fois")

    def look_at_the_corridor(self) -> None:
        """Nothing waits unseen; what the operator holds is ours; what it gave was kept."""
        from django.utils import timezone

        from socle.delivery import queries
        from socle.delivery.models import Inbound, Outbound

        now = timezone.now()
        desk_out = set(queries.stuck_outbound().values_list("pk", flat=True))
        desk_in = set(queries.unread_inbound(at=now).values_list("pk", flat=True))
        for out in Outbound.objects.exclude(state="sent").exclude(pk__in=desk_out):
            self.faults["stuck"].append(f"envoi {out} : {out.state}, absent du bureau")
        for back in Inbound.objects.exclude(state="matched").exclude(pk__in=desk_in):
            self.faults["stuck"].append(f"retour {back} : {back.state}, absent du bureau")
        for back in Inbound.objects.filter(sha256__in=self.books.poison, state="matched"):
            self.faults["false"].append(f"retour empoisonné {back!r} : appliqué")
        right = Inbound.objects.exclude(sha256__in=self.books.poison).exclude(state="matched")
        for back in right:
            self.faults["stuck"].append(f"réponse {back} : {back.state}, {back.message[:200]}")
        self.compare(Inbound, Outbound)
        self.figures |= {
            "on_the_desk": len(desk_out) + len(desk_in),
            "stumbles": [str(one) for one in queries.stumbles()],
            "interrupted_sendings": Outbound.objects.filter(attempts__gt=1).count(),
            "repeated_readings": Inbound.objects.filter(state="matched", attempts__gt=1).count(),
        }

    def compare(self, inbound: Any, outbound: Any) -> None:
        """The counters of both sides."""
        kept = set(inbound.objects.values_list("sha256", flat=True))
        if missing := self.books.returns.keys() - kept:
            self.faults["lost"].append(f"{len(missing)} retour(s) de l'opérateur jamais gardé(s)")
        if strange := kept - self.books.returns.keys():
            self.faults["false"].append(
                f"{len(strange)} retour(s) que l'opérateur n'a pas donné(s)"
            )
        ours = set(outbound.objects.values_list("protocol", "name"))
        if others := self.books.deposits.keys() - ours:
            self.faults["doubled"].append(
                f"chez l'opérateur, inconnus d'ici : {sorted(others)[:5]}"
            )
        if self.books.listed:
            self.faults["stuck"].append(f"{self.books.listed} retour(s) encore à prendre")
        self.figures["returns"] = sum(self.books.returns.values())
        self.figures["poisoned"] = len(self.books.poison & set(self.books.returns))

    def look_at_the_journals(self) -> None:
        """Sealed now, verified from the first line."""
        from socle.journal import integrity
        from tenants.tasks import seal_journals

        seal_journals()
        for schema in integrity.schemas():
            report = integrity.check(schema)
            self.figures["journal_lines"] = self.figures.get("journal_lines", 0) + report.entries
            self.faults["false"] += [f"journal {schema} : {fault}" for fault in report.faults]


def _rows(told: dict[str, Any]) -> Iterator[Any]:
    from socle.actes.models import Act
    from socle.helios.models import PesFlow

    if told["kind"] == "actes":
        yield from Act.objects.filter(number=told["name"])
    else:
        yield from PesFlow.objects.filter(nom_fic=told["name"])


def _told_times(row: Any, event: str) -> int:
    from socle.journal import queries

    return queries.history(row).filter(event=event).count()


def main(ledger: Path, office: Path) -> None:
    """Print the faults and the figures."""
    audit = Audit(json.loads(ledger.read_text()), Books(office))
    audit.run()
    audit.figures["waits"] = audit.waits
    json.dump({"faults": audit.faults, "figures": audit.figures}, sys.stdout)


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
