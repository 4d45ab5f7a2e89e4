"""Acts of one commune, and every message sent or received about them. All in its own schema."""

from datetime import date

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from socle.actes.protocol import rules
from socle.actes.protocol.codes import Nature
from socle.documents.models import StoredFile
from socle.documents.signatures import Signature

NATURES = [(nature.value, nature.label) for nature in Nature]


class ActState(models.TextChoices):
    DRAFT = "draft", "Brouillon"
    WAITING = "waiting", "En préparation"
    QUEUED = "queued", "En cours d’envoi"
    SENT = "sent", "Transmis, en attente de l’accusé de réception"
    REFUSED = "refused", "Non pris par l’opérateur"
    ANOMALY = "anomaly", "Refusé par la préfecture"
    ACKNOWLEDGED = "acknowledged", "Acquitté"
    CANCELLING = "cancelling", "Annulation demandée"
    CANCELLED = "cancelled", "Annulé"


def _person() -> models.ForeignKey:  # type: ignore[type-arg]
    """A person lives in the public schema: a thousand schemas do not each bind her row."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
    )


class Act(models.Model):
    """One act, from its draft to its proof. Its number is free text only while it is a draft."""

    number = models.CharField("numéro", max_length=60, blank=True)
    nature = models.PositiveSmallIntegerField("nature", choices=NATURES, null=True)
    matter = models.CharField("matière", max_length=30, blank=True)
    matter_label = models.CharField(max_length=500, blank=True)
    decided_on = models.DateField("date de la décision", null=True)
    objet = models.TextField("objet", blank=True)
    paper_complement = models.BooleanField("complément sur papier", default=False)
    state = models.CharField("état", max_length=12, choices=ActState, default=ActState.DRAFT)
    """Follows the state of the transactions (`policies.act_state`), written with it."""
    classification_date = models.DateField(null=True)
    identifier = models.CharField("identifiant unique", max_length=60, blank=True, db_index=True)
    """`IDActe`: predicted when the act leaves, confirmed by the State."""
    received_on = models.DateField("reçu en préfecture le", null=True)
    published_on = models.DateField("publié le", null=True)
    cancelled_on = models.DateField("annulé le", null=True)
    created_at = models.DateTimeField()
    created_by = _person()
    deposited_at = models.DateTimeField("transmis le", null=True)
    deposited_by = _person()
    deposited_by_label = models.CharField("transmis par", max_length=200, blank=True)
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="corrections"
    )
    """The act in anomaly that this one corrects."""
    bordereau = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            # A draft takes no number; an anomaly gives it back, and so does a cancellation.
            models.UniqueConstraint(
                fields=("number",),
                condition=~Q(state__in=("draft", "anomaly", "cancelled")),
                name="actes_number_once",
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | (
                    Q(nature__isnull=False, decided_on__isnull=False, deposited_at__isnull=False)
                    & ~Q(number="")
                    & ~Q(objet="")
                    & ~Q(matter="")
                ),
                name="actes_only_drafts_are_incomplete",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("acknowledged", "cancelling", "cancelled"))
                | (Q(received_on__isnull=False) & ~Q(identifier="")),
                name="actes_acknowledged_has_its_proof",
            ),
            models.CheckConstraint(
                condition=Q(published_on=None) | Q(published_on__gte=F("decided_on")),
                name="actes_published_after_decided",
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled", cancelled_on__isnull=False)
                | (~Q(state="cancelled") & Q(cancelled_on=None)),
                name="actes_cancelled_has_its_day",
            ),
        )
        indexes = (
            models.Index(fields=("state",), name="actes_act_state"),
            models.Index(
                fields=("number",), opclasses=("text_pattern_ops",), name="actes_act_number"
            ),
        )
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.number} — {self.objet}" if self.number else self.objet or "Acte sans titre"

    def get_absolute_url(self) -> str:
        """The one page of the act."""
        return reverse("actes:act", args=[self.pk])

    @property
    def enforceable_on(self) -> date | None:
        """The day the act becomes exécutoire, None while it is not (CGCT L2131-1)."""
        if self.state not in {ActState.ACKNOWLEDGED, ActState.CANCELLING}:
            return None
        return rules.enforceable_on(self.received_on, self.published_on)


class FileRole(models.TextChoices):
    MAIN = "main", "Acte"
    ANNEX = "annex", "Annexe"


class ActFile(models.Model):
    """One file of an act, kept as it was uploaded."""

    act = models.ForeignKey(Act, on_delete=models.CASCADE, related_name="files")
    role = models.CharField(max_length=5, choices=FileRole)
    rank = models.PositiveIntegerField()
    typology = models.CharField("type de pièce", max_length=5, blank=True)
    typology_label = models.CharField(max_length=200, blank=True)
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    signed = models.BooleanField("signé électroniquement", default=False)
    signatures = models.JSONField(default=list, db_default=[])
    """What each signature of a signed PDF says (`documents.signatures.Signature.kept`)."""
    transmitted_name = models.CharField("nom transmis", max_length=120, blank=True)
    stamped = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    not_stamped_because = models.CharField(max_length=500, blank=True)
    stamp_sheet = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """The stamp on a page of its own, for a signed PDF that nothing may be printed on."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("act",), condition=Q(role="main"), name="actes_one_main_file"
            ),
            models.UniqueConstraint(fields=("act", "rank"), name="actes_one_file_per_rank"),
        )
        ordering = ("act", "rank")

    def __str__(self) -> str:
        return self.stored.name

    @property
    def signers(self) -> list[Signature]:
        """Who signed it, in the order they did; the time-stamps of machines left out."""
        found = [Signature(**facts) for facts in self.signatures]
        return [one for one in found if not one.timestamp]


class Kind(models.TextChoices):
    """What a transaction carries: the `transaction-flow` code of the norm."""

    ACTE = "1-1", "Transmission de l’acte"
    ACKNOWLEDGEMENT = "1-2", "Accusé de réception"
    ANOMALY = "1-3", "Anomalie"
    LETTER = "2-1", "Courrier simple"
    LETTER_ANSWER = "2-2", "Réponse au courrier"
    PIECES_REQUEST = "3-1", "Demande de pièces complémentaires"
    PIECES_RECEIPT = "3-2", "Accusé de réception de la demande de pièces"
    PIECES_REFUSED = "3-3", "Refus d’envoyer des pièces"
    PIECES_SENT = "3-4", "Envoi des pièces demandées"
    PIECES_ANSWER_ACK = "3-5", "Accusé de réception de la réponse"
    OBSERVATIONS = "4-1", "Lettre d’observations"
    OBSERVATIONS_RECEIPT = "4-2", "Accusé de réception de la lettre d’observations"
    OBSERVATIONS_REJECTED = "4-3", "Rejet des observations"
    OBSERVATIONS_ANSWERED = "4-4", "Réponse aux observations"
    OBSERVATIONS_ANSWER_ACK = "4-5", "Accusé de réception de la réponse aux observations"
    COURT_REFERRAL = "5-1", "Déféré au tribunal administratif"
    CANCELLATION = "6-1", "Demande d’annulation"
    CANCELLATION_ACK = "6-2", "Accusé de réception de l’annulation"
    CLASSIFICATION_REQUEST = "7-1", "Demande de classification"
    CLASSIFICATION = "7-2", "Classification"
    CLASSIFICATION_UNCHANGED = "7-3", "Classification inchangée"
    ENVELOPE_ANOMALY = "ano", "Anomalie sur l’enveloppe"


LETTERS = (Kind.LETTER, Kind.PIECES_REQUEST, Kind.OBSERVATIONS, Kind.COURT_REFERRAL)
ANSWERS = (
    Kind.LETTER_ANSWER,
    Kind.PIECES_SENT,
    Kind.PIECES_REFUSED,
    Kind.OBSERVATIONS_ANSWERED,
    Kind.OBSERVATIONS_REJECTED,
)
RECEIPTS = (Kind.PIECES_RECEIPT, Kind.OBSERVATIONS_RECEIPT)
OUTGOING = ("1-1", "2-2", "3-2", "3-3", "3-4", "4-2", "4-3", "4-4", "6-1", "7-1")


class TransactionState(models.TextChoices):
    QUEUED = "queued", "En cours d’envoi"
    SENT = "sent", "Remis à l’opérateur"
    REFUSED = "refused", "Non pris par l’opérateur"
    ANOMALY = "anomaly", "Refusé par la préfecture"
    ACKNOWLEDGED = "acknowledged", "Acquitté"
    RECEIVED = "received", "Reçu"


class Transaction(models.Model):
    """One message sent to the préfecture, or received from it as the answer to `parent`."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="transactions")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="answers")
    kind = models.CharField(max_length=3, choices=Kind)
    state = models.CharField(max_length=12, choices=TransactionState)
    created_at = models.DateTimeField()
    asked_by = _person()
    envelope_name = models.CharField(max_length=60, blank=True)
    message_name = models.CharField(max_length=255, blank=True)
    archive = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    """What left: the tar.gz, byte for byte."""
    message = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    """What came: the XML file, byte for byte."""
    operator = models.SlugField(max_length=20, blank=True)
    exercise = models.BooleanField(default=False)
    identifier = models.CharField(max_length=60, blank=True, db_index=True)
    sent_at = models.DateTimeField(null=True)
    received_on = models.DateField(null=True)
    answered_at = models.DateTimeField(null=True)
    anomaly_nature = models.CharField(max_length=10, blank=True)
    anomaly_detail = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("envelope_name",),
                condition=~Q(envelope_name=""),
                name="actes_one_envelope_name",
            ),
            models.UniqueConstraint(
                fields=("act",), condition=Q(kind="1-1"), name="actes_transmitted_once"
            ),
            models.UniqueConstraint(
                fields=("act",),
                condition=Q(kind="6-1") & ~Q(state="anomaly"),
                name="actes_one_cancellation",
            ),
            models.UniqueConstraint(
                fields=("parent",),
                condition=Q(kind__in=("1-2", "3-5", "4-5", "6-2")),
                name="actes_acknowledged_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OUTGOING, archive__isnull=False)
                | (~Q(kind__in=OUTGOING) & Q(message__isnull=False, state="received")),
                name="actes_message_has_its_bytes",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=("1-1", "6-1"), state="acknowledged")
                | Q(received_on__isnull=False),
                name="actes_acknowledgement_has_its_day",
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.identifier}".strip()


class EnvelopeDay(models.Model):
    """How many envelopes the commune has made on one day: the number in the next one's name."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"


class ClassificationVersion(models.Model):
    """A classification the préfecture sent (7-2), kept as it came; the last one holds."""

    date = models.DateField()
    content = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Classification du {self.date:%d/%m/%Y}"


class LetterState(models.TextChoices):
    RECEIVED = "received", "Reçu"
    RECEIPT_DUE = "receipt_due", "Accusé de réception à envoyer"
    RECEIPT_SENT = "receipt_sent", "Accusé de réception envoyé"
    ANSWER_READY = "answer_ready", "Réponse préparée"
    ANSWER_LEAVING = "answer_leaving", "Réponse en cours d’envoi"
    ANSWER_SENT = "answer_sent", "Réponse transmise"
    ANSWERED = "answered", "Réponse acquittée"


def _kinds(kinds: tuple[Kind, ...]) -> list[tuple[str, str]]:
    return [(kind.value, kind.label) for kind in kinds]


class Letter(models.Model):
    """One letter of the préfecture about an act, kept as it came."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField("type", max_length=3, choices=_kinds(LETTERS))
    dated = models.DateField("date du courrier")
    """The date written in it: with the act, the key its answers are matched by."""
    text = models.TextField("ce que la préfecture écrit", blank=True)
    digest = models.CharField(max_length=64)
    """SHA-256 of what the letter says and of its documents: the same letter twice is one."""
    state = models.CharField(max_length=14, choices=LetterState, default=LetterState.RECEIVED)
    received_at = models.DateTimeField("reçu le")
    message = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="letter")
    mail = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    """The whole return it came in."""
    receipt = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, null=True, related_name="receipt_of"
    )
    """Our 3-2 or 4-2."""
    read_at = models.DateTimeField("lu le", null=True)
    read_by = _person()
    read_by_label = models.CharField("lu par", max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("act", "kind", "dated", "digest"), name="actes_letter_once"
            ),
            models.CheckConstraint(
                condition=Q(receipt=None) | Q(kind__in=("3-1", "4-1")),
                name="actes_only_two_letters_are_acknowledged",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=("3-1", "4-1"))
                | ~Q(state__in=("receipt_due", "receipt_sent", "answered")),
                name="actes_letter_state_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind="5-1") | Q(state="received"),
                name="actes_a_defere_is_not_answered",
            ),
            models.CheckConstraint(
                condition=Q(read_at=None, read_by_label="")
                | (Q(read_at__isnull=False) & ~Q(read_by_label="")),
                name="actes_letter_reading_is_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("received_at",), condition=Q(read_at=None), name="actes_unread_letters"
            ),
        )
        ordering = ("-received_at", "-pk")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} du {self.dated:%d/%m/%Y}"

    def get_absolute_url(self) -> str:
        """The one page of the letter."""
        return reverse("actes:letter", args=[self.pk])


class LetterFile(models.Model):
    """One document of a letter; `stored` is None when it was announced and did not come."""

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="files")
    rank = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("letter", "rank"), name="actes_letter_file_per_rank"),
        )
        ordering = ("letter", "rank")

    def __str__(self) -> str:
        return self.name


class Answer(models.Model):
    """What the commune answers to a letter: prepared by one, sent by one who may transmit."""

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="answers")
    kind = models.CharField("réponse", max_length=3, choices=_kinds(ANSWERS))
    prepared_at = models.DateTimeField("préparée le")
    prepared_by = _person()
    prepared_by_label = models.CharField("préparée par", max_length=200)
    message = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, null=True, related_name="answer"
    )
    dropped_at = models.DateTimeField("abandonnée le", null=True)
    """When it was given up before it left, or refused by the préfecture."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("letter",), condition=Q(dropped_at=None), name="actes_one_live_answer"
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.get_kind_display()


class AnswerFile(models.Model):
    """One document of an answer, in the order it is sent."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="files")
    rank = models.PositiveIntegerField()
    typology = models.CharField("type de pièce", max_length=5)
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    transmitted_name = models.CharField("nom transmis", max_length=120, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("answer", "rank"), name="actes_answer_file_per_rank"),
        )
        ordering = ("answer", "rank")

    def __str__(self) -> str:
        return self.stored.name


class Posting(models.Model):
    """An act in the public register of the commune (CGCT R2131-1), until a person withdraws it."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="postings")
    files = models.ManyToManyField(ActFile, related_name="+")
    """What anybody may download: the act itself, and the annexes a person chose."""
    author_name = models.CharField("prénom et nom de l’auteur de l’acte", max_length=200)
    author_quality = models.CharField("qualité de l’auteur", max_length=200)
    posted_on = models.DateField("mis en ligne le")
    posted_at = models.DateTimeField()
    posted_by = _person()
    posted_by_label = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField("retiré le", null=True)
    withdrawn_by = _person()
    withdrawn_by_label = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True)
    """When the words of its files were read, so that anybody finds it by what it says."""
    text = models.TextField(blank=True, db_default="")
    """Those words, as written; `words` is what is searched, without accents."""
    words = SearchVectorField(null=True)
    image_pages = models.PositiveIntegerField(db_default=0)
    """Pages without words: nobody finds them, no screen reader reads them."""

    class Meta:
        indexes = (GinIndex(fields=("words",), name="actes_posting_words"),)
        constraints = (
            models.UniqueConstraint(
                fields=("act",), condition=Q(withdrawn_at=None), name="actes_posted_once"
            ),
            models.CheckConstraint(
                condition=~Q(author_name="") & ~Q(author_quality=""),
                name="actes_posting_names_its_author",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by_label="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by_label="")),
                name="actes_withdrawal_is_whole",
            ),
        )
        ordering = ("-posted_at", "-pk")

    def __str__(self) -> str:
        return f"{self.act.number} — {self.act.objet}"

    def get_absolute_url(self) -> str:
        """The public page of the act."""
        return reverse("actes:posted", args=[self.pk])


class BundleState(models.TextChoices):
    WAITING = "waiting", "En préparation"
    DONE = "done", "Prêt"


class BundleKind(models.TextChoices):
    ZIP = "zip", "Fichiers et preuves, en ZIP"
    PDF = "pdf", "Un seul PDF, avec sommaire et signets"


class Bundle(models.Model):
    """Acts taken away together, made in the background for whoever asked, volume by volume."""

    kind = models.CharField(max_length=3, choices=BundleKind, default=BundleKind.ZIP)
    asked_at = models.DateTimeField("demandé le")
    asked_by = _person()
    asked_by_label = models.CharField("demandé par", max_length=200)
    acts = models.JSONField()
    """Keys of the acts it holds, fixed when it was asked for."""
    done = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=7, choices=BundleState, default=BundleState.WAITING)
    seen_at = models.DateTimeField(null=True)
    """When a worker last said that it is at work on it."""
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waiting", finished_at=None)
                | Q(state="done", finished_at__isnull=False),
                name="actes_bundle_done_has_its_instant",
            ),
        )
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{len(self.acts)} actes, demandés par {self.asked_by_label}"


class BundleVolume(models.Model):
    """One finished file of a bundle: what is there is never made again."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="volumes")
    rank = models.PositiveIntegerField()
    acts = models.PositiveIntegerField()
    content = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("bundle", "rank"), name="actes_volume_once"),
        )
        ordering = ("bundle", "rank")

    def __str__(self) -> str:
        return self.content.name


class SaeState(models.TextChoices):
    WAITING = "waiting", "En préparation"
    READY = "ready", "Prêt à déposer"
    FAILED = "failed", "Paquet impossible à faire"
    DROPPED = "dropped", "Abandonné"
    DEPOSITED = "deposited", "Reçu par le service d’archives"
    ACCEPTED = "accepted", "Archivé"
    REFUSED = "refused", "Refusé par le service d’archives"


class SaeTransfer(models.Model):
    """Acts given to an electronic archive (SAE) in one SEDA package, and what it answered."""

    version = models.CharField("version du SEDA", max_length=3)
    archival_agency = models.CharField("service d’archives", max_length=200)
    transferring_agency = models.CharField("service versant", max_length=200)
    agreement = models.CharField("accord de versement", max_length=200)
    originating_agency = models.CharField("service producteur", max_length=200)
    profile = models.CharField("profil d’archivage", max_length=200, blank=True)
    service_level = models.CharField("niveau de service", max_length=200, blank=True)
    identifier = models.CharField("identifiant du versement", max_length=80, unique=True)
    """`MessageIdentifier`: what the archive's answer quotes."""
    state = models.CharField(max_length=9, choices=SaeState, default=SaeState.WAITING)
    asked_at = models.DateTimeField("demandé le")
    asked_by = _person()
    asked_by_label = models.CharField("demandé par", max_length=200)
    done = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    content = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    taken_at = models.DateTimeField("emporté le", null=True)
    """When the package was first downloaded: from then on it may be at the archive."""
    reply = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    reply_code = models.CharField(max_length=40, blank=True)
    words = models.TextField(blank=True)
    """What the archive says, or why the package could not be made."""
    answered_at = models.DateTimeField("répondu le", null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "failed", "dropped")) | Q(content__isnull=False),
                name="actes_transfer_has_its_package",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("accepted", "refused"))
                | Q(reply__isnull=False, answered_at__isnull=False),
                name="actes_transfer_answer_is_kept",
            ),
        )
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.identifier

    def get_absolute_url(self) -> str:
        """The page of the transfer."""
        return reverse("actes:archive", args=[self.pk])


class ArchivedAct(models.Model):
    """One act in one transfer. Until it is released, no other transfer may take the act."""

    transfer = models.ForeignKey(SaeTransfer, on_delete=models.CASCADE, related_name="lines")
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="archivings")
    released_at = models.DateTimeField(null=True)
    """When the archive refused the transfer, or a person gave it up before it left."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("transfer", "act"), name="actes_archived_line_once"),
            models.UniqueConstraint(
                fields=("act",), condition=Q(released_at=None), name="actes_archived_once"
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.act} → {self.transfer}"


class NumberPattern(models.Model):
    """How one service of the commune numbers its acts: « AAAA_### » gives 2026_017.

    AAAA is the year, the run of # the count, which begins again each year.
    """

    service = models.CharField("service", max_length=60, unique=True)
    pattern = models.CharField("modèle de numéro", max_length=20)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.service


class Habits(models.Model):
    """What the commune chose once for all its acts: one row."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    stamp_corner = models.CharField("place du tampon", max_length=12, default="top-right")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(only=True), name="actes_one_row_of_habits"),
        )

    def __str__(self) -> str:
        return "Réglages des actes"


class Batch(models.Model):
    """Acts deposited together: one PDF, one draft; each has its own result."""

    key = models.UUIDField(unique=True)
    """Made with the form: the same form sent twice is one batch."""
    created_at = models.DateTimeField("déposé le")
    created_by = _person()
    created_by_label = models.CharField("déposé par", max_length=200)
    asked_at = models.DateTimeField("envoi demandé le", null=True)
    asked_by = _person()
    finished_at = models.DateTimeField("envoi terminé le", null=True)
    """When the sending that was asked last came to its end."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(asked_at__isnull=False),
                name="actes_batch_ends_what_was_asked",
            ),
        )
        indexes = (
            models.Index(
                fields=("asked_at",),
                condition=Q(asked_at__isnull=False, finished_at=None),
                name="actes_batches_leaving",
            ),
        )
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Lot n° {self.pk}"

    def get_absolute_url(self) -> str:
        """The one page of the batch."""
        return reverse("actes:batch", args=[self.pk])

    @property
    def is_leaving(self) -> bool:
        """Whether its acts are being sent now."""
        return self.asked_at is not None and self.finished_at is None


class BatchItem(models.Model):
    """One file of a batch: the draft made of it, or why there is none; then what became of it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    rank = models.PositiveIntegerField()
    name = models.CharField("fichier", max_length=255)
    sha256 = models.CharField(max_length=64)
    act = models.OneToOneField(Act, on_delete=models.SET_NULL, null=True, related_name="batch_item")
    refusal = models.TextField("refus", blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("batch", "rank"), name="actes_one_item_per_rank"),
            models.UniqueConstraint(fields=("batch", "sha256"), name="actes_one_item_per_file"),
        )
        ordering = ("batch", "rank")

    def __str__(self) -> str:
        return self.name
