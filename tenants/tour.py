"""The whole main job on the running demonstration, without a browser.

One commune goes from nothing to a proof by the actions of every room, as the invented persons, with
the real worker and the real exercise operator. Each stage looks at what it should have produced,
in the database or in the file itself, and stops the tour when it is not there.
"""

import io
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as day_time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from registration_authority import actions as counter
from registration_authority.defaults import TRAINING_OFFER
from registration_authority.dossier.profiles import required_kinds
from registration_authority.models import (
    Certificate,
    CertificateFile,
    FileState,
    IdentityDocument,
    Offer,
    Piece,
)
from socle.accounts import queries as accounts
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions as actes
from socle.actes import queries as acts
from socle.actes.models import Act, ActState
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.identifiers import parse_acte_id
from socle.core.clock import PARIS, legal_date
from socle.core.identifiers import siret_of
from socle.core.text import slug_host
from socle.delivery.models import TransmissionOperator
from socle.directory import actions as directory
from socle.directory import policies as rights
from socle.directory import queries as bodies
from socle.directory.models import Organisation, Protocol
from socle.documents import actions as documents
from socle.documents.model import Document, Letterhead, Paragraph, Signatory, Signatures
from socle.documents.models import StoredFile
from socle.documents.render import to_pdf
from socle.journal import actions as journal
from tenants import demo
from tenants.audit import queries as audit
from tenants.onboarding import guards
from tenants.onboarding import queries as cases
from tenants.onboarding.actions import cases as onboarding
from tenants.onboarding.actions import contract, convention, deliberation
from tenants.onboarding.facts import collect, transmitters
from tenants.onboarding.models import Authorisation, CaseState, Channel, Route, Scope
from training import actions as training
from training import papers
from training.models import Programme

PATIENCE: Final = 90.0
"""Seconds the worker and the exercise operator have for one answer."""
LENGTH: Final = timedelta(minutes=150)
MATTER: Final = "7.10"
"""« Finances locales, divers » in the classification."""
Result = TypeVar("Result")


class Broken(Exception):
    """A stage did not produce what it should; the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that really happened: its name, what it produced, and the seconds it took."""

    stage: str
    product: str
    seconds: float


def next_commune() -> Organisation | None:
    """Melle, then the communes of the Mellois by name: the first without an onboarding case."""
    waiting = Organisation.objects.filter(
        epci__siren=demo.MELLOIS, closed_on=None, onboarding_cases=None
    )
    return waiting.filter(siren=demo.MELLE).first() or waiting.order_by("sort_key").first()


class Tour:
    """One commune on its way. Every stage takes up what the one before it left."""

    def __init__(self, commune: Organisation) -> None:
        self.commune = commune
        self.officer = person("Odile")
        self.operator = person("Rachid")
        self.trainer = person("Thomas")
        self.auditor = person("Aude")

    def stages(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        """The stages in their order, with what people call them."""
        return (
            ("Fiche de la commune", self.complete_the_sheet),
            ("Dossier de raccordement", self.open_the_case),
            ("Adhésion au service", self.join),
            ("Délibération", self.deliberate),
            ("Contrat", self.sign_the_contract),
            ("Convention @CTES", self.sign_the_convention),
            ("Dossier de certificat", self.bring_the_pieces),
            ("Certificat", self.issue_the_certificate),
            ("Remise du certificat", self.hand_over),
            ("Formation", self.train),
            ("Envoi d’un acte", self.transmit),
            ("Bordereau", self.take_the_bordereau),
            ("Mise en service", self.go_live),
            ("Preuves", self.export),
        )

    def run(self) -> Iterator[Done]:
        """Go through the stages; yields each as it is done. Raises Broken or a Refusal."""
        for name, stage in self.stages():
            start = time.monotonic()
            product = stage()
            yield Done(name, product, time.monotonic() - start)

    # The syndicat knows the commune

    def complete_the_sheet(self) -> str:
        """Write down what the directory lacks, and give the commune an agent who may transmit."""
        now, commune = timezone.now(), self.commune
        host = slug_host(commune.name)
        wanted = {
            "siret": siret_of(commune.siren),
            "address": "Le Bourg",
            "email": f"mairie@{host}.test",
            "phone": "05 00 00 00 02",
        }
        if lacking := {name: wanted[name] for name in wanted if not getattr(commune, name)}:
            self.commune = directory.edit(
                organisation_id=commune.pk, changes=lacking, by=self.officer, at=now
            )
        if not commune.contacts.filter(is_legal_representative=True).exists():
            mayor = {
                "first_name": "Dominique",
                "last_name": "Bernard",
                "function": "Maire",
                "email": f"maire@{host}.test",
                "is_legal_representative": True,
            }
            directory.add_contact(organisation_id=commune.pk, facts=mayor, by=self.officer, at=now)
        self.mayor = str(commune.contacts.get(is_legal_representative=True))
        self.agent = self._agent(host, now)
        return f"{self.commune}, SIRET {self.commune.siret}, {self.agent} peut transmettre"

    def _agent(self, host: str, now: datetime) -> Person:
        there = transmitters(self.commune, legal_date(now))
        if there:
            return there[0]
        secretary = demo.Character(
            f"secretariat@{host}.test", "Andrée", "Laurent", "Secrétaire de mairie",
            (Role.TRANSMITTER,), (), "05 00 00 00 03",
        )  # fmt: skip
        person = demo.welcome(secretary, [], at=now)
        directory.grant(
            person=person,
            organisation=self.commune,
            roles=secretary.roles,
            by=self.officer,
            at=now,
        )
        return person

    # Onboarding

    def open_the_case(self) -> str:
        """Open the case; the commune has its space and its sheet is complete."""
        case = onboarding.open_case(organisation=self.commune, by=self.officer, at=timezone.now())
        self.case_id = case.pk
        self.commune = Organisation.objects.select_related("tenant").get(pk=self.commune.pk)
        self.schema = self.commune.tenant.schema_name
        self._check_step("A0")
        return f"dossier n° {case.pk}, espace {self.commune.tenant.get_primary_domain().domain}"

    def join(self) -> str:
        """Propose the syndicat's service, accept its price, choose the operator."""
        now, today = self._now()
        proposal = {
            "kind": Route.MEMBERSHIP,
            "tariff": "Adhésion annuelle, commune de moins de 10 000 habitants",
            "amount": Decimal(150),
        }
        contract.propose(case_id=self.case_id, values=proposal, by=self.officer, at=now)
        contract.accept_tariff(
            case_id=self.case_id, on=today, name=self.mayor, by=self.agent, at=now
        )
        exercise = TransmissionOperator.objects.get(is_exercise=True)
        onboarding.choose_operator(case_id=self.case_id, operator=exercise, by=self.officer, at=now)
        self._check_step("A1", "A2")
        return f"tarif accepté, {exercise}"

    def deliberate(self) -> str:
        """Write the délibération, vote it, keep the signed copy and the proof of transmission."""
        now, today = self._now()
        written = deliberation.write(
            case_id=self.case_id, values=self._session(now), by=self.officer, at=now
        )
        paper = _stored_pdf(written.generated_pdf)
        deliberation.sign(
            case_id=self.case_id,
            copy=io.BytesIO(paper),
            name="deliberation-signee.pdf",
            by=self.agent,
            at=now,
        )
        deliberation.record_transmission(
            case_id=self.case_id,
            on=today,
            channel=Channel.PAPER,
            proof=io.BytesIO(self.paper("Récépissé de la préfecture", now)),
            name="recepisse.pdf",
            by=self.agent,
            at=now,
        )
        self._check_step("A3")
        return f"n° {written.number}, PDF de {_pages(paper)}, signée et transmise"

    def _session(self, now: datetime) -> dict[str, Any]:
        today = legal_date(now)
        return {
            "number": f"{today:%Y}-001",
            "convened_on": today - timedelta(days=7),
            "session_on": today,
            "second_convocation": False,
            "place": "Mairie",
            "president": self.mayor,
            "secretary": str(self.agent),
            "reporter": self.mayor,
            "in_office": 15,
            "present": 12,
            "represented": 2,
            "voting": 14,
            "votes_for": 14,
            "votes_against": 0,
            "abstentions": 0,
            "scope": [Scope.ACTS],
            "authorisations": [
                Authorisation.USE,
                Authorisation.JOIN,
                Authorisation.CONVENTION,
                Authorisation.TRANSMITTERS,
            ],
        }

    def sign_the_contract(self) -> str:
        """Draw up the contract of adhesion, and keep both signatures."""
        now, today = self._now()
        drawn = contract.draw_up(case_id=self.case_id, by=self.officer, at=now)
        paper = _stored_pdf(drawn.generated_pdf)
        copy = {"name": "adhesion-signee.pdf", "on": today, "case_id": self.case_id, "at": now}
        contract.sign_by_commune(
            signatory=self.mayor, copy=io.BytesIO(paper), by=self.agent, **copy
        )
        contract.countersign(
            signatory="Le président du syndicat", copy=io.BytesIO(paper), by=self.officer, **copy
        )
        self._check_step("M1")
        return f"PDF de {_pages(paper)}, signé des deux parties"

    def sign_the_convention(self) -> str:
        """Prepare the convention with the préfet, keep the signatures; the right is open."""
        now, today = self._now()
        prepared = convention.prepare(
            case_id=self.case_id, values=self._parties(now), by=self.officer, at=now
        )
        paper = _stored_pdf(prepared.generated_pdf)
        convention.sign_by_collectivite(
            case_id=self.case_id,
            on=today,
            signatory=self.mayor,
            copy=io.BytesIO(paper),
            name="convention-signee.pdf",
            by=self.agent,
            at=now,
        )
        convention.send(
            case_id=self.case_id, on=today, channel=Channel.MAIL, by=self.officer, at=now
        )
        convention.sign_by_prefet(
            case_id=self.case_id,
            on=today,
            signatory="Le préfet des Deux-Sèvres (EXERCICE)",
            starts_on=today,
            by=self.officer,
            at=now,
        )
        convention.receive_copy(
            case_id=self.case_id,
            copy=io.BytesIO(self.paper("Convention signée des deux parties", now)),
            name="convention-signee-des-deux.pdf",
            by=self.officer,
            at=now,
        )
        onboarding.date_step(case_id=self.case_id, code="A5", on=today, by=self.officer, at=now)
        self._check_step("A4", "A5")
        right = bodies.right(self.commune.pk, Protocol.ACTES)
        rights.check_right(right, what="un acte", on=today, nature="1")
        return f"PDF de {_pages(paper)}, droit de transmettre ouvert au {today:%d/%m/%Y}"

    def _parties(self, now: datetime) -> dict[str, Any]:
        return {
            "prefet_name": "Le préfet d’exercice",
            "prefet_title": "préfet des Deux-Sèvres",
            "prefecture_address": "4 rue Du Guesclin, 79000 Niort",
            "representative_name": self.mayor,
            "representative_quality": "maire",
            "referent_name": str(self.agent),
            "referent_function": self.agent.function,
            "referent_phone": self.agent.phone,
            "referent_email": self.agent.email,
            "natures": ["1", "2", "3", "4", "6"],
            "starts_on": legal_date(now),
        }

    # The certificate

    def bring_the_pieces(self) -> str:
        """Open the agent's file, bring its pieces, have each accepted."""
        now, today = self._now()
        offer = Offer.objects.get(code=TRAINING_OFFER)
        dossier = counter.open_file(
            organisation=self.commune,
            holder=self.agent,
            function=self.agent.function,
            offer=offer,
            by=self.operator,
            at=now,
        )
        self.file_id = dossier.pk
        wanted = required_kinds(dossier)
        for kind in wanted:
            counter.deposit_piece(
                file_id=dossier.pk,
                kind=kind,
                content=self.paper(kind.label, now),
                name=f"{kind.value}.pdf",
                by=self.agent,
                at=now,
            )
        counter.submit(file_id=dossier.pk, by=self.agent, at=now)
        for piece in Piece.objects.filter(file=dossier, replaced_at=None):
            counter.accept_piece(
                piece_id=piece.pk,
                expires_on=today + timedelta(days=1500),
                by=self.operator,
                at=now,
            )
        self._check_file(FileState.PIECES_CHECKED)
        return f"{len(wanted)} pièces déposées et acceptées pour {self.agent}"

    def issue_the_certificate(self) -> str:
        """Meet the agent, take her request, and wait for what the worker obtains."""
        now, today = self._now()
        counter.hold_face_to_face(
            file_id=self.file_id,
            held_at=now,
            place=f"Mairie de {self.commune}",
            document_kind=IdentityDocument.CNI,
            document_number="EXERCICE1",
            document_expires_on=today + timedelta(days=1500),
            recognised=True,
            by=self.operator,
            at=now,
        )
        key = ec.generate_private_key(ec.SECP256R1())
        request = counter.deposit_request(
            file_id=self.file_id, content=_request(key), by=self.operator, at=now
        )
        counter.issue(request_id=request.pk, by=self.operator, at=timezone.now())
        certificate = wait(
            lambda: Certificate.objects.filter(file_id=self.file_id).first(),
            "le certificat demandé à l’autorité d’exercice",
        )
        _check_certificate(certificate, key)
        self._check_file(FileState.ISSUED)
        return f"valable jusqu’au {legal_date(certificate.not_after):%d/%m/%Y}"

    def hand_over(self) -> str:
        """Draw up the receipt, sign it, and find the certificate usable for this commune."""
        now, _ = self._now()
        prepared = counter.prepare_hand_over(
            file_id=self.file_id,
            place=f"Mairie de {self.commune}",
            token_serial="sans support",  # noqa: S106 - a printed number, not a secret
            by=self.operator,
            at=now,
        )
        receipt = _stored_pdf(prepared.receipt)
        counter.hand_over(
            file_id=self.file_id,
            signed=True,
            accepted=True,
            scan=receipt,
            scan_name="proces-verbal-signe.pdf",
            by=self.operator,
            at=now,
        )
        self._check_file(FileState.HANDED_OVER)
        usable = accounts.usable_certificate(
            self.agent, siren=self.commune.siren, at=timezone.now()
        )
        if usable is None:
            raise Broken(f"{self.agent} n’a pas de certificat utilisable pour {self.commune}")
        return f"procès-verbal de {_pages(receipt)}, certificat utilisable"

    # Training

    def train(self) -> str:
        """Plan a session that begins now, seat the agent, sign, close, and read her attestation."""
        now, _ = self._now()
        span = half_day(now)
        session = training.plan(
            programme=Programme.objects.filter(is_offered=True).order_by("pk")[0],
            trainer=self.trainer,
            seats=8,
            slots=[span],
            place=f"Mairie de {self.commune}",
            by=self.trainer,
            at=now,
        )
        registration = training.register(
            session_id=session.pk,
            person=self.agent,
            organisation=self.commune,
            by=self.trainer,
            at=now,
        )
        training.convene(session_id=session.pk, by=self.trainer, at=now)
        time.sleep(max(0.0, (span[0] - timezone.now()).total_seconds()))
        slot = session.slots.get()
        training.sign(
            slot_id=slot.pk, marks={registration.pk: True}, by=self.trainer, at=timezone.now()
        )
        (certificate,) = training.close(session_id=session.pk, by=self.trainer, at=timezone.now())
        paper = to_pdf(papers.certificate(certificate, bodies.syndicat()))
        return f"attestation {certificate.code}, PDF de {_pages(paper)}"

    # The first act

    def transmit(self) -> str:
        """Deposit an act as the agent, and wait for the préfecture's acknowledgement."""
        onboarding.date_step(
            case_id=self.case_id,
            code="T1",
            on=legal_date(timezone.now()),
            by=self.officer,
            at=timezone.now(),
        )
        now, today = self._now()
        with schema_context(self.schema):
            act = actes.deposit(
                facts=actes.Facts(
                    number=acts.next_number(now),
                    nature=Nature.DELIBERATION.value,
                    matter=MATTER,
                    decided_on=today,
                    objet="EXERCICE : tarif de la salle des fêtes",
                ),
                main=actes.Upload("deliberation.pdf", self.paper("Tarif de la salle", now)),
                by=self.agent,
                at=now,
            )
            self.act_id = act.pk
            act = wait(self._answered, "l’accusé de réception de la préfecture d’exercice")
        if act.state != ActState.ACKNOWLEDGED:
            raise Broken(f"l’acte est « {act.get_state_display()} » et non acquitté")
        identifier = parse_acte_id(act.identifier)
        if (identifier.siren, identifier.number) != (self.commune.siren, act.number):
            raise Broken(f"l’identifiant {act.identifier} n’est pas celui de l’acte déposé")
        return f"AR du {act.received_on:%d/%m/%Y}, {act.identifier}"

    def _answered(self) -> Act | None:
        over = (ActState.ACKNOWLEDGED, ActState.ANOMALY, ActState.REFUSED, ActState.DRAFT)
        return Act.objects.filter(pk=self.act_id, state__in=over).first()

    def take_the_bordereau(self) -> str:
        """Read the bordereau and the stamped copy from the commune's files."""
        with schema_context(self.schema):
            act = Act.objects.select_related("bordereau").get(pk=self.act_id)
            stamped = [file.stamped for file in act.files.select_related("stamped")]
            if act.bordereau is None or None in stamped:
                raise Broken("le bordereau ou la copie tamponnée manque")
            pages = [_pages(documents.read(one)) for one in (act.bordereau, *stamped)]
        return f"bordereau de {pages[0]}, copie tamponnée de {pages[1]}"

    # The end

    def go_live(self) -> str:
        """Look at the case once more: every step that counts is done."""
        case = onboarding.refresh(case_id=self.case_id, by=self.officer, at=timezone.now())
        if case.state != CaseState.LIVE:
            waiting = ", ".join(str(step) for step in cases.open_steps(case))
            raise Broken(f"le dossier est « {case.get_state_display()} », il attend : {waiting}")
        done, total = cases.progress(case)
        return f"commune raccordée, {done} étapes faites sur {total}"

    def export(self) -> str:
        """Export the proofs, verify them with Python alone, and see one changed byte denounced."""
        with tempfile.TemporaryDirectory(prefix="socle-preuves-") as folder:
            parcel = Path(folder) / "preuves.zip"
            with parcel.open("wb") as out, schema_context(self.schema):
                journal.export(
                    schema=self.schema,
                    out=out,
                    by=self.auditor,
                    at=timezone.now(),
                    reason="tour de démonstration",
                    files=audit.pieces(),
                )
            unzipped = Path(folder) / "preuves"
            zipfile.ZipFile(parcel).extractall(unzipped)
            said = _verify(unzipped)
            entries = unzipped / "journal.jsonl"
            content = bytearray(entries.read_bytes())
            content[len(content) // 2] ^= 1
            entries.write_bytes(content)
            denounced = _verify(unzipped)
        if not said.startswith("OK") or not denounced.startswith("NON"):
            raise Broken(f"verify.py a dit : {said} ; puis, un octet changé : {denounced}")
        return f"{said.splitlines()[0]} ; un octet changé est dénoncé"

    # What the stages share

    def _now(self) -> tuple[datetime, date]:
        now = timezone.now()
        return now, legal_date(now)

    def _check_step(self, *codes: str) -> None:
        facts = collect(cases.case(self.case_id), timezone.now())
        missing = [one.sentence for code in codes for one in guards.missing(code, facts)]
        if missing:
            raise Broken(" ".join(missing))

    def _check_file(self, wanted: FileState) -> None:
        state = FileState(CertificateFile.objects.get(pk=self.file_id).state)
        if state is not wanted:
            raise Broken(f"le dossier de certificat est « {state.label} »")

    def paper(self, title: str, at: datetime) -> bytes:
        """A PDF of one page the commune could have written, signed by nobody."""
        return to_pdf(
            Document(
                title=f"EXERCICE — {title}",
                issuer=Letterhead(self.commune.name),
                blocks=(
                    Paragraph("Document d’exercice, sans valeur juridique."),
                    Signatures((Signatory("Le maire", self.mayor),)),
                ),
                at=at,
            )
        )


def person(first_name: str) -> Person:
    """The invented person with this first name."""
    return Person.objects.get(email=demo.email_of(first_name))


def wait(found: Callable[[], Result | None], what: str) -> Result:
    """Ask until there is an answer. Raises Broken when PATIENCE is over."""
    limit = time.monotonic() + PATIENCE
    while (result := found()) is None:
        if time.monotonic() > limit:
            raise Broken(f"{PATIENCE:.0f} s ont passé sans {what}")
        time.sleep(0.3)
    return result


def half_day(now: datetime) -> tuple[datetime, datetime]:
    """From now on, and over before midnight: a session stays within its day."""
    start = now + timedelta(seconds=2)
    tomorrow = start.astimezone(PARIS).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, day_time(), PARIS)
    if midnight - start < timedelta(minutes=2):
        return midnight, midnight + LENGTH
    return start, min(start + LENGTH, midnight - timedelta(seconds=1))


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate request as the software of a token makes it; the key is forgotten after it."""
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = asked.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def _check_certificate(certificate: Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """The certificate holds the key of the request, and its authority signed it."""
    issued = x509.load_pem_x509_certificate(certificate.pem.encode())
    if issued.public_key() != key.public_key():
        raise Broken("le certificat ne porte pas la clé de la demande")
    authority = certificate.file.offer.authority
    issued.verify_directly_issued_by(
        x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    )


def _stored_pdf(key: UUID | None) -> bytes:
    """The content of a PDF kept by the syndicat."""
    with schema_context(get_public_schema_name()):
        return documents.read(StoredFile.objects.get(pk=key))


def _pages(pdf: bytes) -> str:
    """« 2 pages »: how long a PDF is; a file that is none raises PdfError."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        number = len(opened.pages)
    return f"{number} page{'s' if number > 1 else ''}"


def _verify(folder: Path) -> str:
    """What the verifier of an export says, run by a bare Python that knows nothing of Socle."""
    told = subprocess.run(
        [sys.executable, "-I", "verify.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or told.stderr.strip()
