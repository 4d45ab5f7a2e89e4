"""The ACTES addresses of S²LOW, on the rooms of Socle."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase

from socle.accounts.capabilities import Access, Capability
from socle.actes import actions, bordereau, policies, queries, replies, sending
from socle.actes.actions import Facts, Upload
from socle.actes.ground import Ground
from socle.actes.models import (
    Act,
    ActFile,
    ActState,
    ClassificationVersion,
    Kind,
    Letter,
    LetterState,
    Transaction,
    TransactionState,
)
from socle.core.names import safe_name
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.documents.sniff import as_stream
from socle.documents.stamp import stamp
from socle.s2low.protocol import served
from socle.s2low.protocol.served import Numbered, Status, Thing
from tenants.api import posted
from tenants.api.facade import FacadeView, json_answer, pages, text
from tenants.api.posted import Refused

NATURES: Final = {1: "DE", 2: "AR", 3: "AI", 4: "CC", 5: "BF", 6: "AU"}
STATES: Final = {
    ActState.DRAFT: Status.WAITS_TO_BE_POSTED,
    ActState.WAITING: Status.POSTED,
    ActState.QUEUED: Status.POSTED,
    ActState.SENT: Status.TRANSMITTED,
    ActState.REFUSED: Status.ERROR,
    ActState.ANOMALY: Status.ERROR,
    ActState.ACKNOWLEDGED: Status.ACKNOWLEDGED,
    ActState.CANCELLING: Status.ACKNOWLEDGED,
    ActState.CANCELLED: Status.CANCELLED,
}
MESSAGES: Final = {
    TransactionState.QUEUED: Status.POSTED,
    TransactionState.SENT: Status.TRANSMITTED,
    TransactionState.REFUSED: Status.ERROR,
    TransactionState.ANOMALY: Status.ERROR,
    TransactionState.ACKNOWLEDGED: Status.ACKNOWLEDGED,
    TransactionState.RECEIVED: Status.RECEIVED,
}
_TAKEN: Final = frozenset(
    {
        *("api", "nature_code", "number", "decision_date", "subject", "type_acte", "type_pj"),
        *("acte_pdf_file", "acte_attachments", "document_papier", "en_attente", "must_signed"),
        *(f"classif{level}" for level in range(1, 6)),
    }
)
_USELESS: Final = frozenset(
    {
        *("acte_pdf_file_sign", "acte_attachments_sign", "broadcast_email", "send_sources"),
        *("show_broadcast_email", "batchfile", "process_next_batch_file"),
    }
)
"""Of S²LOW too, without effect here: taken empty, refused by name when they ask for something."""
_LONGEST_MATTER: Final = Act._meta.get_field("matter").max_length or 30
NOT_ANSWERED: Final = frozenset({ActState.DRAFT, ActState.WAITING, ActState.QUEUED, ActState.SENT})


class TestConnection(FacadeView):
    """« Am I known? »"""

    capability = Access.ANYONE

    def serve(self) -> HttpResponse:
        return text(served.ok())


class Create(FacadeView):
    """Deposit an act; it leaves at once, or waits for a person with her certificate."""

    capability = Capability.ACTS_PREPARE

    def check_fields(self) -> None:
        """Every parameter of S²LOW, and no other. Raises Refused."""
        posted.check_fields(self.request, known=_TAKEN, useless=_USELESS)

    def serve(self) -> HttpResponse:
        facts, main, annexes = self.facts(), self.main(), self.annexes()
        if known := self.same(facts, main, annexes):
            return text(served.ok(int(Numbered(Thing.ACT, known.pk))))
        act = self.deposit(facts, main, annexes)
        return text(served.ok(int(Numbered(Thing.ACT, act.pk))))

    def facts(self) -> Facts:
        """What the parameters say of the act."""
        decided_on = served.day_of(self.given("decision_date"))
        if decided_on is None:
            raise Refused("La date de décision n'est pas une date : AAAA-MM-JJ")
        matter = served.matter_of(self.given(f"classif{level}") for level in range(1, 6))
        if not matter.count("."):
            raise Refused("Les deux premiers niveaux de classification sont obligatoires.")
        nature = self.given("nature_code")
        if len(matter) > _LONGEST_MATTER:
            raise Refused("Les niveaux de classification sont trop longs : vérifiez classif1 à 5")
        return Facts(
            number=policies.tidy_number(self.given("number")),
            nature=int(nature) if nature in {"1", "2", "3", "4", "5", "6"} else None,
            matter=matter,
            decided_on=decided_on,
            objet=self.given("subject"),
            paper_complement=self.given("document_papier") in {"1", "O"},
        )

    def main(self) -> Upload:
        """The act itself."""
        file = posted.file(self.request, "acte_pdf_file")
        if file is None:
            raise Refused("Aucun fichier acte n'a été posté ")
        return _upload(file, self.given("type_acte"))

    def annexes(self) -> list[Upload]:
        """The annexes, each with its own type: one without is named."""
        files = posted.files(self.request, "acte_attachments")
        types = posted.several(self.request, "type_pj")
        if len(types) > len(files):
            raise Refused(
                f"{len(types)} types d'annexe (type_pj) sont donnés pour {len(files)} annexes"
            )
        types += [""] * (len(files) - len(types))
        for file, kind in zip(files, types, strict=True):
            if not kind:
                raise Refused(f"Annexe « {_name(file)} » : typologie absente")
        return [_upload(file, kind) for file, kind in zip(files, types, strict=True)]

    def same(self, facts: Facts, main: Upload, annexes: Sequence[Upload]) -> Act | None:
        """The act this very deposit made already: a call repeated after a cut makes no second.

        It is the same when everything is: facts, files, names and types. Raises Refused, with what
        differs, for another act under the number of one that is on its way or received.
        """
        uploads = [main, *annexes]
        if known := queries.holder_of(facts.number):
            if other := list(_differences(known, facts, uploads)):
                raise Refused(
                    f"Un acte portant le même numéro interne existe déjà : {known.number}, et ce "
                    f"n'est pas le même ({', '.join(other)}). Donnez un autre numéro"
                )
            return known
        drafts = Act.objects.filter(number=facts.number, state=ActState.DRAFT).order_by("pk")
        return next((act for act in drafts if not any(_differences(act, facts, uploads))), None)

    def deposit(self, facts: Facts, main: Upload, annexes: Sequence[Upload]) -> Act:
        """By the same action and under the same rules as on the screen."""
        by = self.caller.access.person
        ground = Ground(by=by, at=self.at)
        given: dict[str, Any] = {"facts": facts, "main": main, "annexes": annexes}
        waits = "1" in {self.given("en_attente"), self.given("must_signed")}
        if not waits and self.may_leave(
            Capability.ACTS_TRANSMIT, partial(ground.operator, nature=str(facts.nature or ""))
        ):
            return actions.deposit(**given, by=by, at=self.at, ground=ground)
        with transaction.atomic():
            act = actions.save_draft(**given, by=by, at=self.at, ground=ground)
            sending.acceptable(act, queries.files_of(act), ground=ground)
        return act


class GetStatus(FacadeView):
    """Where a transaction stands, with the XML of the préfecture when it has answered."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        if identifier := self.given("unique_id"):
            act = Act.objects.filter(identifier=identifier).first()
            return text(_state_of_act(act)) if act else self.refuse("Enveloppe invalide.")
        found = Numbered.read(self.given("transaction"))
        if found is None:
            raise Refused("Numéro de transaction invalide.")
        if found.thing is Thing.ACT:
            return text(_state_of_act(_act(found.key)))
        if found.thing in {Thing.CANCELLATION, Thing.CLASSIFICATION}:
            return text(_state_of_message(_message(found.key)))
        if found.thing is Thing.LETTER:
            return text(served.status(_letter_state(_letter(found.key))))
        raise Refused("Numéro de transaction invalide.")


class Cancel(FacadeView):
    """Ask the préfecture to cancel an act."""

    capability = Capability.ACTS_TRANSMIT

    def serve(self) -> HttpResponse:
        if not self.given("id"):
            raise Refused("Pas d'identifiant de transaction à annuler spécifié.")
        found = Numbered.read(self.given("id"))
        if found is None or found.thing is not Thing.ACT:
            raise Refused("Ce type de transaction ne peut pas être annulé.")
        act = _act(found.key)
        ground = Ground(by=self.caller.access.person, at=self.at)
        if act.state == ActState.CANCELLING:
            raise Refused("Une demande d'annulation est déjà en cours pour cette transaction.")
        if act.state != ActState.ACKNOWLEDGED:
            raise Refused(
                "Impossible d'annuler une transaction qui n'est pas en état « Acquittement reçu »."
            )
        if not self.may_leave(Capability.ACTS_TRANSMIT, partial(ground.operator, about=act)):
            raise Refused("La télétransmission nécessite un certificat RGS")
        asked = actions.cancel(act_id=act.pk, by=self.caller.access.person, at=self.at)
        return text(served.ok(int(Numbered(Thing.CANCELLATION, asked.pk))))


class GetArActe(FacadeView):
    """The acknowledgement, byte for byte."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponseBase:
        act = _act(self.numbered("id", Thing.ACT))
        answer = _acknowledgement(act)
        if answer is None:
            raise Refused("Pas d'acquittement recu")
        return download(answer)


class CreatePdf(FacadeView):
    """The bordereau d'acquittement."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponseBase:
        act = _act(self.numbered("trans_id", Thing.ACT))
        if act.bordereau is None:
            raise Refused("Pas d'acquittement recu")
        return download(act.bordereau)


class GetFilesList(FacadeView):
    """The files of an act: the business XML, the act, its annexes in the order they were sent."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        act = _act(self.numbered("transaction", Thing.ACT))
        if act.state in NOT_ANSWERED:
            raise Refused("Pas d'acquittement recu")
        return json_answer(list(_listed(act)))


class DownloadFile(FacadeView):
    """One file, as it was sent or stamped; `env` asks for the whole archive."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponseBase:
        if self.given("env"):
            sent = _sent(_act(self.numbered("env", Thing.ACT)))
            return download(_archive(sent))
        found = Numbered.read(self.given("file"))
        if found is not None and found.thing is Thing.BUSINESS_XML:
            name, content = _business_xml(_sent(_act(found.key)))
            return _bytes(content, name, "application/xml")
        if found is None or found.thing is not Thing.FILE:
            raise Refused("Fichier inconnu")
        files = ActFile.objects.select_related("act", "stored", "stamped", "stamp_sheet")
        file = files.filter(pk=found.key).first()
        if file is None:
            raise Refused("Fichier inconnu")
        return self.stamped(file) if self.given("tampon") == "true" else download(file.stored)

    def stamped(self, file: ActFile) -> HttpResponseBase:
        """The stamped copy; what cannot be stamped is refused, never given bare as if it were."""
        if file.stamp_sheet is not None:  # a signed file is never printed in: its sheet says so
            return download(file.stamp_sheet)
        published = self.given("date_affichage")
        if published and file.stored.media_type == "application/pdf":
            day = served.day_of(published)
            if day is None:
                raise Refused("La date d'affichage n'est pas une date : AAAA-MM-JJ")
            return self.stamped_on(file, day)
        if file.stamped is None:
            raise Refused(file.not_stamped_because or "Ce fichier n'est pas tamponné")
        return download(file.stamped)

    def stamped_on(self, file: ActFile, day: Any) -> HttpResponse:
        act = file.act
        if act.state in NOT_ANSWERED or act.received_on is None:
            raise Refused("Pas d'acquittement recu")
        act.published_on = day  # for the words of the stamp only: nothing is saved
        content = stamp(
            documents.read(file.stored),
            lines=bordereau.stamp_lines(act),
            exercise=_sent(act).exercise,
            name=file.stored.name,
        )
        return _bytes(content, file.stored.name, "application/pdf")


class GetTampon(DownloadFile):
    """The first stamped PDF of an act (an old address)."""

    def serve(self) -> HttpResponseBase:
        act = _act(self.numbered("transaction", Thing.ACT))
        file = _stamped_first(act)
        if file is None:
            raise Refused("Pas d'acquittement recu")
        return self.stamped(file)


class ClassificationFetch(FacadeView):
    """The classification of the préfecture, byte for byte: callers compare it with theirs."""

    capability = Capability.ACTS_PREPARE

    def serve(self) -> HttpResponseBase:
        held = ClassificationVersion.objects.select_related("content").first()
        if held is None:
            raise Refused("Erreur de récupération de la dernière classification.")
        return download(held.content)


class ClassificationRequest(FacadeView):
    """Ask the préfecture for its classification again."""

    capability = Capability.ACTS_TRANSMIT

    def serve(self) -> HttpResponse:
        ground = Ground(by=self.caller.access.person, at=self.at)
        if not self.may_leave(Capability.ACTS_TRANSMIT, ground.operator):
            raise Refused("La télétransmission nécessite un certificat RGS")
        with transaction.atomic():
            asked = sending.ask_classification(ground=ground)
        if asked is None:
            raise Refused("La dernière demande de classification date de moins d'un jour.")
        return text(served.ok(int(Numbered(Thing.CLASSIFICATION, asked.pk))))


class Statuses(FacadeView):
    """The words for the states."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        return json_answer({str(int(one)): label for one, label in served.ACTES_LABELS.items()})


class NumberOfActes(FacadeView):
    """How many acts are in a state."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        wanted = _wanted(self.given("status_id"))
        count = Act.objects.filter(state__in=wanted[1]).count()
        return json_answer(
            {"status_id": wanted[0], "authority_id": self._organisation, "nb_transactions": count}
        )


class ListActes(FacadeView):
    """The acts in a state, between two days, page by page."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        number, states = _wanted(self.given("status_id"))
        found = Act.objects.filter(state__in=states).order_by("pk")
        if first := served.day_of(self.given("min_date")):
            found = found.filter(deposited_at__date__gte=first)
        if last := served.day_of(self.given("max_date")):
            found = found.filter(deposited_at__date__lte=last)
        offset, limit = pages(self.request)
        return json_answer(
            {
                "status_id": number,
                "authority_id": self._organisation,
                "offset": offset,
                "limit": limit,
                "transactions": [_in_a_list(act) for act in found[offset : offset + limit]],
            }
        )


class ListLetters(FacadeView):
    """The letters of the préfecture nobody read."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponse:
        unread = Letter.objects.filter(read_at=None).select_related("act").order_by("pk")
        return json_answer(
            [
                {
                    "id": int(Numbered(Thing.LETTER, letter.pk)),
                    "type": int(letter.kind[0]),
                    "related_transaction_id": int(Numbered(Thing.ACT, letter.act_id)),
                    "number": letter.act.number,
                    "unique_id": letter.act.identifier,
                    "last_status_id": int(_letter_state(letter)),
                }
                for letter in unread[:100]
            ]
        )


class MarkAsRead(FacadeView):
    """Say that a letter was read."""

    capability = Capability.ACTS_PREPARE

    def serve(self) -> HttpResponse:
        letter = _letter(self.numbered("transaction_id", Thing.LETTER))
        replies.mark_read(letter_id=letter.pk, by=self.caller.access.person, at=self.at)
        return json_answer({"result": "ok"})


class GetDocument(FacadeView):
    """The messages about an act, a line each; or one letter as it came."""

    capability = Capability.ACTS_READ

    def serve(self) -> HttpResponseBase:
        found = Numbered.read(self.given("id"))
        if found is not None and found.thing is Thing.LETTER:
            return download(_letter(found.key).mail)
        if found is not None and found.thing is Thing.ACT:
            letters = _act(found.key).letters.order_by("pk")
            return text(
                "".join(
                    f"{letter.kind[0]}-{int(_letter_state(letter))}-"
                    f"{int(Numbered(Thing.LETTER, letter.pk))}\n"
                    for letter in letters
                ).encode(served.LATIN)
            )
        raise Refused("Numéro de transaction invalide.")


def _act(key: int) -> Act:
    found = Act.objects.select_related("bordereau").filter(pk=key).first()
    if found is None:
        raise Refused("Numéro de transaction invalide.")
    return found


def _letter(key: int) -> Letter:
    found = Letter.objects.select_related("mail").filter(pk=key).first()
    if found is None:
        raise Refused("Numéro de transaction invalide.")
    return found


def _message(key: int) -> Transaction:
    ours = Transaction.objects.filter(kind__in=(Kind.CANCELLATION, Kind.CLASSIFICATION_REQUEST))
    found = ours.filter(pk=key).first()
    if found is None:
        raise Refused("Numéro de transaction invalide.")
    return found


def _sent(act: Act) -> Transaction:
    found = act.transactions.filter(kind=Kind.ACTE).select_related("archive").first()
    if found is None:
        raise Refused("Pas d'acquittement recu")
    return found


def _archive(sent: Transaction) -> StoredFile:
    if sent.archive is None:
        raise Refused("Enveloppe invalide.")
    return sent.archive


def _acknowledgement(act: Act) -> StoredFile | None:
    found = Transaction.objects.filter(act=act, kind=Kind.ACKNOWLEDGEMENT).select_related("message")
    answer = found.first()
    return answer.message if answer else None


def _stamped_first(act: Act) -> ActFile | None:
    files = act.files.select_related("act", "stored", "stamped", "stamp_sheet")
    return files.exclude(stamped=None, stamp_sheet=None).order_by("rank").first()


def _state_of_act(act: Act) -> bytes:
    state = STATES[ActState(act.state)]
    if state is Status.ACKNOWLEDGED and (answer := _acknowledgement(act)):
        return served.status(state, documents.read(answer))
    if state is Status.ERROR:
        return served.status(state, _why(act).encode(served.LATIN, "replace"))
    return served.status(state)


def _why(act: Act) -> str:
    sent = act.transactions.filter(kind=Kind.ACTE).first()
    if sent is not None and sent.anomaly_detail:
        return sent.anomaly_detail
    outbound = queries.outbound_of(sent) if sent else None
    return outbound.last_error if outbound else "Non pris par l'opérateur"


def _state_of_message(message: Transaction) -> bytes:
    state = MESSAGES[TransactionState(message.state)]
    answer = message.answers.exclude(message=None).select_related("message").last()
    attached = answer.message if answer else None
    return served.status(state, documents.read(attached) if attached else b"")


def _letter_state(letter: Letter) -> Status:
    if letter.kind == Kind.LETTER:
        return Status.RECEIVED_WITHOUT_RECEIPT
    sent = letter.state in {LetterState.RECEIPT_SENT, LetterState.ANSWERED}
    return Status.RECEIPT_SENT if sent else Status.RECEIVED


def _listed(act: Act) -> Iterator[dict[str, Any]]:
    name, content = _business_xml(_sent(act))
    yield {
        "id": int(Numbered(Thing.BUSINESS_XML, act.pk)),
        "name": name,
        "posted_filename": name,
        "mimetype": "application/xml",
        "size": len(content),
        "sign": "",
        "code_pj": "",
    }
    for file in act.files.select_related("stored").order_by("rank"):
        yield {
            "id": int(Numbered(Thing.FILE, file.pk)),
            "name": file.transmitted_name or file.stored.name,
            "posted_filename": file.stored.name,
            "mimetype": file.stored.media_type,
            "size": file.stored.size,
            "sign": "",
            "code_pj": file.typology,
        }


def _business_xml(sent: Transaction) -> tuple[str, bytes]:
    """The message of an act in the archive that left: name and bytes."""
    archive = io.BytesIO(documents.read(_archive(sent)))
    with tarfile.open(fileobj=archive, mode="r:gz") as opened:
        for member in opened:
            if member.isfile() and member.name.endswith(f"-{Kind.ACTE}_0.xml"):
                inside = opened.extractfile(member)
                return member.name, inside.read() if inside else b""
    raise Refused("Enveloppe invalide.")


def _in_a_list(act: Act) -> dict[str, Any]:
    """One act of a list; what is not known yet is empty."""
    return {
        "id": int(Numbered(Thing.ACT, act.pk)),
        "subject": act.objet,
        "number": act.number,
        "date": f"{act.decided_on:%Y-%m-%d}" if act.decided_on else "",
        "nature_descr": act.get_nature_display() if act.nature else "",
        "classification": act.matter,
        "type": "1",
        "unique_id": act.identifier,
        "received_on": f"{act.received_on:%Y-%m-%d}" if act.received_on else "",
        "cancelled_on": f"{act.cancelled_on:%Y-%m-%d}" if act.cancelled_on else "",
    }


def _wanted(written: str) -> tuple[int, list[ActState]]:
    """A state of S²LOW, and the states of ours that are it."""
    try:
        number = int(written)
    except ValueError as error:
        raise Refused("Statut inconnu") from error
    return number, [ours for ours, theirs in STATES.items() if theirs == number]


def _differences(act: Act, facts: Facts, uploads: Sequence[Upload]) -> Iterator[str]:
    """What of a deposit is not what the act says."""
    words = {
        "nature": "nature",
        "decided_on": "date de décision",
        "matter": "classification",
        "objet": "objet",
        "paper_complement": "document papier",
    }
    for field, word in words.items():
        if getattr(act, field) != getattr(facts, field):
            yield word
    kept = list(act.files.select_related("stored").order_by("rank"))
    if len(kept) != len(uploads):
        yield "nombre de fichiers"
        return
    for file, upload in zip(kept, uploads, strict=True):
        if file.stored.name != safe_name(upload.name) or file.stored.sha256 != _sha256(upload):
            yield f"fichier « {upload.name} »"
        elif upload.typology and file.typology != upload.typology:
            yield f"type de « {upload.name} »"


def _upload(file: UploadedFile, typology: str) -> Upload:
    return Upload(_name(file), file.file, typology.upper())


def _name(file: UploadedFile) -> str:
    return served.text_of(file.name or "")


def _sha256(upload: Upload) -> str:
    content = as_stream(upload.content)
    content.seek(0)
    found = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    return found


def _bytes(content: bytes, name: str, media_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = (
        f'attachment; filename="{name.encode("ascii", "replace").decode()}"'
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
