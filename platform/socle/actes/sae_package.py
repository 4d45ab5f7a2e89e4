"""The package of a transfer: each act with everything about it, measured while it is put in.

One unit for each act: the act and its annexes (with their stamped copies), what left and what came
(envelopes, acknowledgement, anomalies), the letters with their answers, the bordereau, and what
the journal says with its proofs.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import BinaryIO

from django.db.models import QuerySet

from socle.actes import queries
from socle.actes.models import Act, ActFile, Answer, Letter, SaeTransfer, Transaction
from socle.actes.protocol import seda
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.formats import measure
from socle.actes.protocol.seda import Binary, Event, Parties, Transfer, Unit, Version
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal import queries as journal
from socle.journal.proofs import SealedTree, extract

_TIME = (1980, 1, 1, 0, 0, 0)


def write(
    transfer: SaeTransfer, acts: Sequence[int], out: BinaryIO, *, tell: Callable[[int], None]
) -> None:
    """Write the ZIP of the transfer: files first, then the manifest that describes them."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        packer = _Packer(archive, transfer)
        units = []
        for done, key in enumerate(acts, 1):
            units.append(packer.act(_acts().get(pk=key)))
            tell(done)
        message = Transfer(
            identifier=transfer.identifier,
            at=transfer.asked_at,
            comment=_comment(len(acts)),
            parties=packer.parties,
            units=units,
        )
        entry = zipfile.ZipInfo(seda.MANIFEST, _TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, seda.manifest(message, Version(transfer.version)))


def _comment(count: int) -> str:
    body = queries.organisation_here()
    acts = "1 acte transmis" if count == 1 else f"{count} actes transmis"
    return f"{body} : {acts} au contrôle de légalité par @CTES"


def _acts() -> QuerySet[Act]:
    return Act.objects.select_related("bordereau").prefetch_related(
        "files__stored",
        "files__stamped",
        "files__stamp_sheet",
        "transactions__archive",
        "transactions__message",
        "letters__mail",
        "letters__files__stored",
        "letters__answers__files__stored",
    )


class _Packer:
    """Puts files into one ZIP and says what was put there."""

    def __init__(self, archive: zipfile.ZipFile, transfer: SaeTransfer) -> None:
        self.archive, self.transfer = archive, transfer
        self.count = 0
        self.tree = SealedTree()
        self.parties = Parties(
            archival_agency=transfer.archival_agency,
            transferring_agency=transfer.transferring_agency,
            agreement=transfer.agreement,
            originating_agency=transfer.originating_agency,
            profile=transfer.profile,
            service_level=transfer.service_level,
        )

    def act(self, act: Act) -> Unit:
        """Everything about one act."""
        nature = Nature(act.nature or Nature.OTHER)
        history = [Event(entry.at, entry.event, entry.sentence) for entry in journal.history(act)]
        return Unit(
            title=f"{act.number} — {act.objet}",
            level="File",
            description=act.objet,
            identifier=act.identifier,
            document_type=nature.label,
            tags=(f"{act.matter} {act.matter_label}".strip(),),
            originating_agency=self.parties.originating_agency,
            custody=(
                f"Transmis au représentant de l’État par @CTES, reçu le {act.received_on:%d/%m/%Y} "
                f"sous l’identifiant {act.identifier}."
            ),
            access_rule=seda.access_rule(nature, act.matter),
            rule_from=act.decided_on,
            start=act.decided_on,
            end=max(entry.at for entry in history).date() if history else act.received_on,
            events=history,
            units=tuple(self.below(act)),
        )

    def below(self, act: Act) -> Iterator[Unit]:
        for file in act.files.all():
            yield self.file(file)
            if file.stamp_sheet:
                yield self.paper(f"Feuille de tampon : {file.stored.name}", file.stamp_sheet)
        if act.bordereau:
            yield self.paper("Bordereau d’acquittement", act.bordereau)
        letters = list(act.letters.all())
        said = {letter.message_id for letter in letters}
        for one in act.transactions.all():
            if one.pk not in said:
                yield self.message(one)
        for letter in letters:
            yield self.letter(letter)
        name = f"journal-{act.number}.json"
        proof = self.put(io.BytesIO(extract(act, self.tree)), name, self.transfer.asked_at)
        yield Unit(title="Journal de Socle et ses preuves", master=proof)

    def file(self, file: ActFile) -> Unit:
        return Unit(
            title=f"{file.get_role_display()} : {file.stored.name}",
            document_type=f"{file.typology} {file.typology_label}".strip(),
            master=self.stored(file.stored),
            copy=self.stored(file.stamped) if file.stamped else None,
        )

    def message(self, one: Transaction) -> Unit:
        kept = one.message or one.archive
        assert kept is not None  # noqa: S101 -- a constraint of the table says so
        return self.paper(f"{one.get_kind_display()} ({one.kind})", kept)

    def letter(self, letter: Letter) -> Unit:
        message = letter.message
        papers = [self.message(message), self.paper("Envoi de la préfecture", letter.mail)]
        papers += [
            self.paper(f"Document : {file.name}", file.stored)
            for file in letter.files.all()
            if file.stored
        ]
        for answer in letter.answers.all():
            papers += self.answer(answer)
        return Unit(
            title=str(letter),
            level="RecordGrp",
            description=letter.text,
            start=letter.dated,
            units=papers,
        )

    def answer(self, answer: Answer) -> list[Unit]:
        return [
            self.paper(f"{answer} : {file.stored.name}", file.stored) for file in answer.files.all()
        ]

    def paper(self, title: str, stored: StoredFile) -> Unit:
        return Unit(title=title, master=self.stored(stored))

    def stored(self, stored: StoredFile) -> Binary:
        with documents.open_file(stored) as content:
            return self.put(content, stored.name, stored.created_at)

    def put(self, content: BinaryIO, name: str, at: datetime) -> Binary:
        """Copy a file into the ZIP under a name nothing else has."""
        self.count += 1
        suffix = PurePath(name).suffix.lower()
        kept = suffix if suffix[1:].isascii() and suffix[1:].isalnum() else ""
        entry = f"{seda.CONTENT}/{self.count:05d}{kept}"
        info = zipfile.ZipInfo(entry, _TIME)
        with self.archive.open(info, "w", force_zip64=True) as target:
            found = measure(content, copy_to=target)  # type: ignore[arg-type]
        return Binary(entry, name, found, at)
