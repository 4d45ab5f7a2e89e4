"""The counter of the registration authority. Everything here lives in the public schema."""

import uuid
from datetime import timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from socle.accounts.models import CertificateLevel, Person
from socle.directory.models import Organisation

# A PIN beside its digits, as policies.check_free_text refuses it; « rue du Pin 79500 » is a street.
PIN_PATTERN: Final = (
    r"(^|[^[:alnum:]])"
    r"(?<!(du|des|aux?) )(pin|puk|code (secret|confidentiel|porteur))"
    r"([^[:alnum:]]+(est|vaut|no|n))?[^[:alnum:]]{0,4}[0-9]([ .-]?[0-9]){3}"
)


def holds_no_secret(*fields: str) -> models.CheckConstraint:
    """The constraint that keeps anything like a PIN out of these columns."""
    written = [Q(**{f"{field}__iregex": PIN_PATTERN}) for field in fields]
    condition = Q()
    for one in written:
        condition &= ~one
    return models.CheckConstraint(condition=condition, name="%(app_label)s_%(class)s_no_pin")


class CertificationAuthority(models.Model):
    """An authority that signs for us, and the adapter that speaks to it."""

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField("nom", max_length=120)
    adapter = models.CharField(max_length=20)
    certificate_pem = models.TextField("certificat de l’autorité")
    chain_pem = models.TextField("autorités au-dessus", blank=True)
    """Who signed the certificate of the authority, up to the root (PEM, one after the other)."""
    crl_url = models.URLField("adresse de sa liste de révocation", blank=True)
    portal_url = models.URLField("adresse de son portail", blank=True)

    def __str__(self) -> str:
        return self.name


class RevocationListCopy(models.Model):
    """The last list of revoked certificates we got from an authority, checked when it came."""

    authority = models.OneToOneField(
        CertificationAuthority, on_delete=models.PROTECT, related_name="revocation_list"
    )
    content = models.BinaryField()
    """The list itself, DER."""
    number = models.CharField(max_length=40)
    """The CRL number (RFC 5280 §5.2.3) in hexadecimal: 20 bytes at most."""
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(next_update__gt=F("this_update")),
                name="%(app_label)s_%(class)s_lasts",
            ),
        )


class TrainingKey(models.Model):
    """The private key of the embedded training authority, sealed with the master key."""

    authority = models.OneToOneField(
        CertificationAuthority, on_delete=models.PROTECT, related_name="training_key"
    )
    sealed_key = models.BinaryField()
    crl_number = models.PositiveIntegerField(default=0)


class TrainingIssue(models.Model):
    """The register of the embedded authority: what it signed, and what it revoked since."""

    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, related_name="training_issues"
    )
    issuance_key = models.UUIDField(unique=True)
    serial = models.CharField(max_length=40)
    pem = models.TextField()
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("authority", "serial"), name="%(app_label)s_%(class)s_one_serial"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, reason="")
                | (Q(revoked_at__isnull=False) & ~Q(reason="")),
                name="%(app_label)s_%(class)s_revocation_is_whole",
            ),
        )


class CmpLink(models.Model):
    """How we speak CMP with an authority: its address, our certificate, our key sealed."""

    class Carries(models.TextChoices):
        PKCS10 = "pkcs10", "la demande de la personne telle quelle (p10cr)"
        TEMPLATE = "template", "un modèle rempli par le syndicat (ir, cr)"

    authority = models.OneToOneField(
        CertificationAuthority, on_delete=models.PROTECT, related_name="cmp_link"
    )
    url = models.URLField("adresse")
    certificate_pem = models.TextField("certificat de l’autorité d’enregistrement")
    sealed_key = models.BinaryField()
    responder_pem = models.TextField("certificat qui signe les réponses", blank=True)
    carries = models.CharField(max_length=8, choices=Carries, default=Carries.PKCS10)
    implicit_confirm = models.BooleanField("sans confirmation explicite", default=False)


class CmpExchange(models.Model):
    """One conversation for one certificate, written down before each question."""

    authority = models.ForeignKey(CertificationAuthority, on_delete=models.PROTECT)
    key = models.UUIDField(unique=True)
    """The issuance key of the request."""
    transaction = models.CharField(max_length=32, unique=True)
    """transactionID, hexadecimal; the same for every message of the conversation."""
    heard = models.CharField(max_length=128, blank=True)
    """senderNonce of the last answer that was believed, hexadecimal."""
    request_id = models.IntegerField()
    asked_at = models.DateTimeField()
    pem = models.TextField(blank=True)
    confirmed = models.BooleanField(default=False)
    """The authority takes silence for consent."""
    settled_at = models.DateTimeField(null=True)


class PieceKind(models.TextChoices):
    """What a holder or her body brings, in the order of the counter."""

    IDENTITY = "identity", "Pièce d’identité"
    FUNCTION = "function", "Justificatif de fonction"
    MANDATE = "mandate", "Mandat du représentant légal"
    TERMS = "terms", "Demande et conditions d’utilisation signées"
    LEGAL_ID = "legal_id", "Pièce d’identité du représentant légal"
    ENTITY = "entity", "Avis de situation SIRENE"
    DELEGATION = "delegation", "Délégation de signature"
    PROXY = "proxy", "Désignation du mandataire de certification"


IDENTITY_KINDS: Final = (PieceKind.IDENTITY, PieceKind.LEGAL_ID)
"""Copies of identity documents: kept apart, under their own keys."""


class Usage(models.TextChoices):
    """What the key may do: the key usage of the certificate (EN 319 412-2 §4.3.2)."""

    AUTHENTICATION = "authentication", "Authentification"
    SIGNATURE = "signature", "Signature"
    DUAL = "dual", "Authentification et signature"


class Offer(models.Model):
    """What an authority sells and what it asks for: its certification policy, as data."""

    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, related_name="offers"
    )
    code = models.SlugField(max_length=30, unique=True)
    name = models.CharField("offre", max_length=120)
    level = models.CharField("niveau", max_length=12, choices=CertificateLevel)
    usage = models.CharField("usage", max_length=14, choices=Usage, default=Usage.AUTHENTICATION)
    policy = models.CharField("politique (OID)", max_length=80)
    duration_months = models.PositiveSmallIntegerField("durée en mois")
    required_pieces = ArrayField(models.CharField(max_length=12, choices=PieceKind))
    min_rsa_bits = models.PositiveSmallIntegerField(default=2048)
    price_code = models.SlugField("code du tarif", max_length=30)
    renewals_without_face_to_face = models.PositiveSmallIntegerField(
        "renouvellements sans nouveau face à face", default=0
    )
    """Kept for the release of before: it is a value of `PolicyProfile` now (ADR 0012)."""
    is_open = models.BooleanField("proposée", default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(duration_months__range=(1, 36)),
                name="%(app_label)s_%(class)s_three_years_at_most",
            ),
            models.CheckConstraint(
                condition=Q(min_rsa_bits__gte=2048), name="%(app_label)s_%(class)s_strong_keys"
            ),
        )
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def validity(self) -> timedelta:
        """How long a certificate lasts; a year counts 365 days, so 36 months are 1095 days."""
        return timedelta(days=self.duration_months * 365 // 12)


class FileState(models.TextChoices):
    DRAFT = "draft", "En préparation"
    SUBMITTED = "submitted", "Pièces à vérifier"
    PIECES_CHECKED = "pieces_checked", "À recevoir en face à face"
    FACE_TO_FACE_DONE = "face_to_face_done", "Certificat à établir"
    ISSUED = "issued", "À remettre"
    HANDED_OVER = "handed_over", "Remis"
    REFUSED = "refused", "Refusé"
    CANCELLED = "cancelled", "Abandonné"


OPEN_STATES: Final = (
    FileState.DRAFT,
    FileState.SUBMITTED,
    FileState.PIECES_CHECKED,
    FileState.FACE_TO_FACE_DONE,
    FileState.ISSUED,
)


class CertificateFile(models.Model):
    """The file of one certificate: one person, one body, from the first piece to the receipt."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="certificate_files"
    )
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="certificate_files")
    function = models.CharField("fonction", max_length=120)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=FileState, default=FileState.DRAFT)
    assigned_to = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    closing_reason = models.CharField("motif", max_length=300, blank=True)
    renews = models.ForeignKey(
        "Certificate",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="renouvelle",
    )
    carried_face_to_face = models.ForeignKey(
        "FaceToFace", on_delete=models.PROTECT, null=True, related_name="+"
    )
    """The face to face of a former file, where the offer allows to renew without a new one."""
    signed_by = models.ForeignKey(
        "Mandate", on_delete=models.PROTECT, null=True, related_name="+", verbose_name="signataire"
    )
    """Who signs the request for the body: its legal representative or a delegate."""
    proxy = models.ForeignKey(
        "Mandate", on_delete=models.PROTECT, null=True, related_name="+", verbose_name="mandataire"
    )
    """The « mandataire de certification » through whom the file goes, if any."""
    checked_digest = models.CharField(max_length=64, blank=True)
    """What the file said when its pieces were checked, see `dossier.snapshot`."""
    locked_until = models.DateTimeField("réservé jusqu’à", null=True)
    on_hold_since = models.DateTimeField("en attente depuis", null=True)
    on_hold_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    hold_reason = models.CharField("motif de l’attente", max_length=300, blank=True)
    closed_at = models.DateTimeField("clos le", null=True)

    # Annotations of `queries.files`: pieces to check, pieces to replace, state of the live request.
    pending: int
    refused: int
    request_state: str | None

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "holder"),
                condition=Q(state__in=OPEN_STATES),
                name="%(app_label)s_%(class)s_one_open",
            ),
            models.CheckConstraint(
                condition=(Q(assigned_to=None) | ~Q(assigned_to=F("holder")))
                & (Q(checked_by=None) | ~Q(checked_by=F("holder"))),
                name="%(app_label)s_%(class)s_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(checked_at=None, checked_by=None)
                | Q(checked_at__isnull=False, checked_by__isnull=False),
                name="%(app_label)s_%(class)s_check_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=False)
                | ~Q(
                    state__in=(
                        FileState.PIECES_CHECKED,
                        FileState.FACE_TO_FACE_DONE,
                        FileState.ISSUED,
                        FileState.HANDED_OVER,
                    )
                ),
                name="%(app_label)s_%(class)s_goes_on_checked",
            ),
            models.CheckConstraint(
                condition=Q(carried_face_to_face=None) | Q(renews__isnull=False),
                name="%(app_label)s_%(class)s_carries_when_it_renews",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(FileState.REFUSED, FileState.CANCELLED))
                | ~Q(closing_reason=""),
                name="%(app_label)s_%(class)s_closed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(on_hold_since=None, on_hold_by=None, hold_reason="")
                | Q(on_hold_since__isnull=False, on_hold_by__isnull=False) & ~Q(hold_reason=""),
                name="%(app_label)s_%(class)s_hold_is_whole",
            ),
            holds_no_secret("function", "closing_reason"),
            models.CheckConstraint(
                condition=~Q(hold_reason__iregex=PIN_PATTERN),
                name="%(app_label)s_%(class)s_hold_says_no_pin",
            ),
        )
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=("state", "-created_at"), name="ra_file_state"),)

    def __str__(self) -> str:
        return f"{self.holder} — {self.organisation}"

    @property
    def is_open(self) -> bool:
        """Whether something can still happen before the hand-over."""
        return self.state in OPEN_STATES


class PieceState(models.TextChoices):
    PENDING = "pending", "À vérifier"
    ACCEPTED = "accepted", "Acceptée"
    REFUSED = "refused", "Refusée"


class Piece(models.Model):
    """One document of a file. A new deposit replaces the former one, which stays on record."""

    file = models.ForeignKey(CertificateFile, on_delete=models.PROTECT, related_name="pieces")
    kind = models.CharField(max_length=12, choices=PieceKind)
    content = models.UUIDField()
    """The stored file, in the public schema."""
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    deposited_at = models.DateTimeField()
    deposited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=PieceState, default=PieceState.PENDING)
    reason = models.CharField("motif", max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    expires_on = models.DateField("valable jusqu’au", null=True)
    dated_on = models.DateField("date du document", null=True)
    """The day written on it; for the signed request, the day of the signature."""
    checks = ArrayField(models.CharField(max_length=160), default=list)
    """What the officer saw on it, as the policy asked."""
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("file", "kind"),
                condition=Q(replaced_at=None),
                name="%(app_label)s_%(class)s_one_current",
            ),
            models.CheckConstraint(
                condition=Q(state=PieceState.PENDING, decided_at=None, decided_by=None)
                | (
                    ~Q(state=PieceState.PENDING)
                    & Q(decided_at__isnull=False, decided_by__isnull=False)
                ),
                name="%(app_label)s_%(class)s_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state=PieceState.REFUSED) & ~Q(reason="")
                | ~Q(state=PieceState.REFUSED) & Q(reason=""),
                name="%(app_label)s_%(class)s_refused_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(kind=PieceKind.IDENTITY, state=PieceState.ACCEPTED)
                | Q(expires_on__isnull=False),
                name="%(app_label)s_%(class)s_identity_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0), name="%(app_label)s_%(class)s_is_not_empty"
            ),
            holds_no_secret("reason"),
        )
        ordering = ("deposited_at", "pk")

    def __str__(self) -> str:
        return self.get_kind_display()


class IdentityDocument(models.TextChoices):
    CNI = "cni", "Carte nationale d’identité"
    PASSPORT = "passport", "Passeport"
    PERMIT = "permit", "Titre de séjour"


class FaceToFace(models.Model):
    """The person came, in the flesh, with the original of her identity document."""

    file = models.OneToOneField(
        CertificateFile, on_delete=models.PROTECT, related_name="face_to_face"
    )
    officer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField("reçue le")
    held_on = models.DateField()
    """The same day in Paris, so that the database can compare it with the document's end."""
    place = models.CharField("lieu", max_length=120)
    document_kind = models.CharField(max_length=8, choices=IdentityDocument)
    document_end = models.CharField(max_length=4)
    """The last four characters of the number: enough to tell, too little to steal."""
    document_expires_on = models.DateField()
    document_digest = models.CharField(max_length=64, blank=True)
    """A keyed digest of the whole number, where the policy lets it be kept."""
    features = ArrayField(models.CharField(max_length=120), default=list)
    """What the officer looked at on the original, as the policy asked."""
    proxy = models.ForeignKey("Mandate", on_delete=models.PROTECT, null=True, related_name="+")
    """The « mandataire de certification » who received the person for her own body."""
    attestation = models.UUIDField(null=True)
    """The attestation to sign (PDF), in the public schema."""
    attestation_scan = models.UUIDField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(officer=F("holder")), name="%(app_label)s_%(class)s_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(document_expires_on__gte=F("held_on")),
                name="%(app_label)s_%(class)s_document_was_valid",
            ),
            models.CheckConstraint(
                condition=Q(document_end__regex=r"^[0-9A-Z]{4}$"),
                name="%(app_label)s_%(class)s_number_is_masked",
            ),
            holds_no_secret("place"),
        )


class RequestState(models.TextChoices):
    DEPOSITED = "deposited", "Déposée"
    APPROVED = "approved", "Envoyée à l’autorité"
    ISSUED = "issued", "Certificat reçu"
    FAILED = "failed", "Refusée par l’autorité"
    QUARANTINED = "quarantined", "Certificat reçu non conforme"
    REPLACED = "replaced", "Remplacée"


LIVE_REQUESTS: Final = (RequestState.DEPOSITED, RequestState.APPROVED, RequestState.ISSUED)


class CertificateRequest(models.Model):
    """The key of the holder, presented for a certificate (PKCS#10)."""

    file = models.ForeignKey(CertificateFile, on_delete=models.PROTECT, related_name="requests")
    csr_pem = models.TextField()
    public_key = models.CharField(max_length=64)
    """SHA-256 of the SubjectPublicKeyInfo."""
    state = models.CharField(max_length=12, choices=RequestState, default=RequestState.DEPOSITED)
    issuance_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    deposited_at = models.DateTimeField()
    deposited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True)
    """What the authority sent back, as it came, before it was understood."""
    approved_digest = models.CharField(max_length=64, blank=True)
    """What the file said when it was approved: the same as when it was checked."""
    message = models.CharField(max_length=1000, blank=True)
    ask_again_at = models.DateTimeField(null=True)
    """When an authority that takes its time is asked again."""
    late_told_at = models.DateTimeField(null=True)
    """When the counter was told that the authority keeps it too long."""
    settled_at = models.DateTimeField(null=True)
    """When the authority was told whether its certificate is kept."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("file",),
                condition=Q(state__in=LIVE_REQUESTS),
                name="%(app_label)s_%(class)s_one_live",
            ),
            models.UniqueConstraint(
                fields=("public_key",),
                condition=~Q(state=RequestState.REPLACED),
                name="%(app_label)s_%(class)s_one_per_key",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="%(app_label)s_%(class)s_approval_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=False)
                | Q(state__in=(RequestState.DEPOSITED, RequestState.REPLACED)),
                name="%(app_label)s_%(class)s_goes_on_approved",
            ),
        )
        ordering = ("-deposited_at", "-pk")


class CertificateState(models.TextChoices):
    VALID = "valid", "En service"
    REVOKED = "revoked", "Révoqué"


class RevocationReason(models.TextChoices):
    """Why a certificate is withdrawn; the value is the reason code of RFC 5280 §5.3.1."""

    KEY_COMPROMISE = "keyCompromise", "Support perdu ou volé, ou code divulgué"
    AFFILIATION_CHANGED = "affiliationChanged", "Départ ou changement de fonction"
    CESSATION = "cessationOfOperation", "Fin de mandat ou certificat non retiré"
    SUPERSEDED = "superseded", "Remplacé par un nouveau certificat"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn", "Règles d’utilisation non respectées"
    UNSPECIFIED = "unspecified", "Contenu refusé par la personne, ou autre motif"


class Certificate(models.Model):
    """One issued certificate. The one-to-one is what makes issuing twice impossible."""

    request = models.OneToOneField(
        CertificateRequest, on_delete=models.PROTECT, related_name="certificate"
    )
    file = models.OneToOneField(
        CertificateFile, on_delete=models.PROTECT, related_name="certificate"
    )
    issuer = models.CharField(max_length=500)
    serial = models.CharField("numéro de série", max_length=40)
    fingerprint = models.CharField(max_length=64, unique=True)
    public_key = models.CharField(max_length=64, unique=True)
    pem = models.TextField()
    issued_at = models.DateTimeField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField("expire le")
    state = models.CharField(max_length=8, choices=CertificateState, default=CertificateState.VALID)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    revocation_reason = models.CharField(max_length=24, choices=RevocationReason, blank=True)
    revocation_sent_at = models.DateTimeField(null=True)
    """When the authority was asked to revoke, or the counter told to ask it on its portal."""
    revocation_confirmed_at = models.DateTimeField(null=True)
    """When the authority said it had revoked too; we stop using the certificate before that."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("issuer", "serial"), name="%(app_label)s_%(class)s_one_serial"
            ),
            models.CheckConstraint(
                condition=Q(not_after__gt=F("not_before"))
                & Q(not_after__lte=F("not_before") + timedelta(days=1096)),
                name="%(app_label)s_%(class)s_three_years_at_most",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=CertificateState.VALID,
                    revoked_at=None,
                    revocation_reason="",
                    revocation_sent_at=None,
                    revocation_confirmed_at=None,
                )
                | (
                    Q(state=CertificateState.REVOKED, revoked_at__isnull=False)
                    & ~Q(revocation_reason="")
                ),
                name="%(app_label)s_%(class)s_revocation_is_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("not_after",), condition=Q(state="valid"), name="ra_certificate_expiry"
            ),
        )


class HandOver(models.Model):
    """The receipt of one certificate. It is a hand-over once both have signed it."""

    certificate = models.OneToOneField(
        Certificate, on_delete=models.PROTECT, related_name="hand_over"
    )
    face_to_face = models.ForeignKey(
        FaceToFace, on_delete=models.PROTECT, related_name="hand_overs"
    )
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    officer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    place = models.CharField("lieu", max_length=120)
    token_serial = models.CharField("numéro du support", max_length=40)
    receipt = models.UUIDField()
    """The receipt to sign (PDF), in the public schema."""
    prepared_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    """When the holder read what the certificate says of her and accepted it."""
    signed_scan = models.UUIDField(null=True)
    collected_by = models.ForeignKey(
        "Mandate", on_delete=models.PROTECT, null=True, related_name="+"
    )
    """The « mandataire » who came in place of the holder, where the policy admits one."""
    acknowledged_at = models.DateTimeField(null=True)
    """When the holder wrote that her « mandataire » gave her the token."""
    override_reason = models.CharField("malgré le contrôle", max_length=300, blank=True)
    """Why it is handed over although an operator does not know its authority yet."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(officer=F("holder")), name="%(app_label)s_%(class)s_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None, accepted_at=None)
                | Q(signed_at__gte=F("prepared_at"), accepted_at__isnull=False),
                name="%(app_label)s_%(class)s_signed_means_accepted",
            ),
            holds_no_secret("place", "token_serial"),
        )
        indexes = (models.Index(fields=("signed_at",), name="ra_hand_over_signed"),)

    @property
    def awaits_the_holder(self) -> bool:
        """Whether somebody else collected and the holder has still to acknowledge."""
        return self.collected_by_id is not None and self.acknowledged_at is None


class Renewal(models.Model):
    """The end of one certificate as the counter follows it: what was told, and until when."""

    certificate = models.OneToOneField(
        Certificate, on_delete=models.PROTECT, related_name="renewal"
    )
    opened_at = models.DateTimeField()
    told = models.PositiveSmallIntegerField("dernier rappel, en jours avant la fin")
    told_at = models.DateTimeField()
    muted_at = models.DateTimeField(null=True)
    muted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(muted_at=None, muted_by=None)
                | Q(muted_at__isnull=False, muted_by__isnull=False),
                name="%(app_label)s_%(class)s_mute_is_whole",
            ),
        )


# Models of the sub-rooms, which Django finds through this module.
from registration_authority.evidence import models as evidence_models  # noqa: E402, F401
from registration_authority.figures import models as figures_models  # noqa: E402, F401
from registration_authority.revocation import models as revocation_models  # noqa: E402, F401
from registration_authority.watch import models as watch_models  # noqa: E402, F401
