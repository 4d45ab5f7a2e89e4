"""« Pourquoi mon certificat est refusé » : every check a platform makes, one by one, in words.

What ACTES asks of a certificate: personal, of a recognised authority, at least of the substantial
level (CGCT R.2131-1), for client authentication, in date and not revoked; then what Socle adds: it
is that of the person who presents it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registration_authority.models import Offer
from registration_authority.pki.certificate import CertificateFacts, facts_of
from registration_authority.pki.check import FIELDS
from registration_authority.pki.keys import WeakKey, check_key
from registration_authority.pki.training_ca import EXERCISE_POLICY
from registration_authority.watch import status, trust
from socle.accounts.models import LoginCertificate, Person
from socle.core.clock import legal_date

MIN_RSA: Final = 2048
Verdict = Literal["success", "warning", "danger"]
WORDS: Final[dict[Verdict, str]] = {
    "success": "En règle",
    "warning": "À vérifier",
    "danger": "Refusé",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, the verdict, what was found and what to do."""

    what: str
    verdict: Verdict
    found: str
    do: str = ""

    @property
    def words(self) -> str:
        """The verdict in words."""
        return WORDS[self.verdict]


def run(certificate: x509.Certificate, *, person: Person, siren: str, at: datetime) -> list[Check]:
    """Every check of a certificate that `person` presents for the body `siren`, in order."""
    facts = facts_of(certificate)
    issuer = trust.issuer_of(certificate)
    return [
        _person(certificate),
        _validity(facts, at),
        *_authority(certificate, issuer, at),
        _usage(certificate),
        _key(certificate),
        _revocation(certificate, issuer, at),
        _email(certificate, person),
        _body(certificate, siren),
        _known(facts, person, siren, at),
    ]


def verdict(checks: list[Check]) -> Verdict:
    """The worst of all."""
    order: tuple[Verdict, ...] = ("danger", "warning", "success")
    return next(one for one in order if any(check.verdict == one for check in checks))


def _person(certificate: x509.Certificate) -> Check:
    what = "Certificat de personne"
    try:
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        authority = False
    if authority:
        return Check(
            what,
            "danger",
            "C’est le certificat d’une autorité, pas celui d’une personne.",
            "Exportez de votre navigateur le certificat à votre nom.",
        )
    names = {label: _first(certificate, oid) for label, oid in FIELDS}
    if not (names["prénom"] and names["nom"]) and not names["nom complet"]:
        return Check(
            what,
            "danger",
            "Il ne nomme personne.",
            "Un certificat de serveur ou de cachet ne permet pas de télétransmettre : demandez un "
            "certificat à votre nom.",
        )
    return Check(what, "success", names["nom complet"] or f"{names['prénom']} {names['nom']}")


def _validity(facts: CertificateFacts, at: datetime) -> Check:
    what = "Dates"
    until = f"{legal_date(facts.not_after):%d/%m/%Y}"
    if facts.not_after <= at:
        return Check(
            what,
            "danger",
            f"Il a expiré le {until}.",
            "Demandez-en un nouveau à votre syndicat : un certificat expiré ne se prolonge pas.",
        )
    if facts.not_before > at:
        return Check(
            what,
            "danger",
            f"Il ne vaut qu’à partir du {legal_date(facts.not_before):%d/%m/%Y}.",
            "Attendez ce jour, ou vérifiez l’heure de votre ordinateur.",
        )
    return Check(what, "success", f"Il vaut jusqu’au {until}.")


def _authority(
    certificate: x509.Certificate, issuer: x509.Certificate | None, at: datetime
) -> Iterator[Check]:
    what = "Autorité qui l’a signé"
    if issuer is None:
        name = certificate.issuer.rfc4514_string()
        yield Check(
            what,
            "danger",
            f"Elle n’est dans aucune liste de confiance connue ici : {name[:200]}.",
            "Un certificat d’une autre autorité que celles que l’État reconnaît est refusé partout "
            ": demandez à votre syndicat.",
        )
        return
    name = issuer.subject.rfc4514_string()[:200]
    if not issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc:
        yield Check(
            what,
            "danger",
            f"Elle a expiré le {legal_date(issuer.not_valid_after_utc):%d/%m/%Y} : {name}.",
            "Vos dates sont bonnes, pas les siennes : il faut un certificat de sa remplaçante.",
        )
    elif trust.status_of(issuer) == "withdrawn":
        yield Check(
            what,
            "danger",
            f"La liste de confiance de l’État ne la reconnaît plus : {name}.",
            "Demandez un certificat d’une autorité reconnue.",
        )
    else:
        yield Check(what, "success", name)
    level = _policies(certificate)
    if EXERCISE_POLICY in level:
        yield Check(
            "Niveau",
            "warning",
            "C’est un certificat d’exercice.",
            "Il sert à s’entraîner, jamais à transmettre pour de vrai.",
        )
    elif known := Offer.objects.filter(policy__in=level).first():
        yield Check("Niveau", "success", f"{known.get_level_display()} ({known}).")
    elif level:
        yield Check("Niveau", "success", f"Politique {', '.join(level)}.")
    else:
        yield Check(
            "Niveau",
            "danger",
            "Il ne dit pas selon quelle politique il a été délivré.",
            "Le niveau demandé (RGS ** ou substantiel) ne peut pas être prouvé : changez-en.",
        )


def _usage(certificate: x509.Certificate) -> Check:
    what = "Usage"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        signs = usage.digital_signature
    except (x509.ExtensionNotFound, ValueError):
        signs = True
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        client = ExtendedKeyUsageOID.CLIENT_AUTH in extended
    except (x509.ExtensionNotFound, ValueError):
        client = False
    if signs and client:
        return Check(what, "success", "Il permet de s’identifier sur un site.")
    return Check(
        what,
        "danger",
        "Il ne permet pas de s’identifier sur un site (il sert sans doute à signer des documents).",
        "Choisissez dans la liste de votre navigateur le certificat « authentification » de votre "
        "support.",
    )


def _key(certificate: x509.Certificate) -> Check:
    what = "Solidité de la clé"
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return Check(what, "danger", "Ce genre de clé n’est pas admis.", "Changez de certificat.")
    try:
        check_key(key, min_rsa_bits=MIN_RSA, until=certificate.not_valid_after_utc)
    except WeakKey as weak:
        return Check(what, "warning", str(weak), "Prévenez votre syndicat.")
    return Check(what, "success", f"{key.key_size} bits.")


def _revocation(
    certificate: x509.Certificate, issuer: x509.Certificate | None, at: datetime
) -> Check:
    what = "Révocation"
    if issuer is None:
        return Check(what, "warning", "Non vérifiée : son autorité n’est pas connue ici.")
    said = status.ask(certificate, issuer, at)
    if said.revoked is None:
        return Check(
            what,
            "warning",
            f"Non vérifiée : {said.trouble}",
            "Recommencez dans quelques minutes : l’autorité ne répond peut-être pas.",
        )
    how = {"ocsp": "son répondeur", "crl": "sa liste"}[said.how]
    if said.revoked:
        return Check(
            what,
            "danger",
            f"Son autorité dit qu’il est révoqué ({how}).",
            "C’est définitif : demandez-en un nouveau à votre syndicat.",
        )
    return Check(what, "success", f"Son autorité ne l’a pas révoqué ({how}).")


def _email(certificate: x509.Certificate, person: Person) -> Check:
    what = "Adresse électronique"
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = list(names.get_values_for_type(x509.RFC822Name))
    except (x509.ExtensionNotFound, ValueError):
        found = []
    if any(one.casefold() == person.email.casefold() for one in found):
        return Check(what, "success", person.email)
    told = ", ".join(found) or "aucune"
    return Check(
        what,
        "warning",
        f"Celle du certificat ({told}) n’est pas celle de votre compte ({person.email}).",
        "Si vous avez changé d’adresse, signalez-le à votre syndicat.",
    )


def _body(certificate: x509.Certificate, siren: str) -> Check:
    what = "Organisme"
    units = [
        str(one.value)
        for one in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    ]
    found = [unit.removeprefix("0002 ") for unit in units if unit.startswith("0002 ")]
    if any(one.startswith(siren) for one in found):
        return Check(what, "success", f"Il est au nom de cet organisme ({siren}).")
    return Check(
        what,
        "warning",
        f"Il est au nom d’un autre organisme ({', '.join(found) or 'aucun SIREN'}).",
        "Un certificat peut servir pour plusieurs communes si elles en sont convenues : votre "
        "syndicat l’enregistre.",
    )


def _known(facts: CertificateFacts, person: Person, siren: str, at: datetime) -> Check:
    what = "Connu de Socle"
    known = LoginCertificate.objects.filter(issuer=facts.issuer, serial=facts.serial).first()
    if known is None or known.fingerprint != facts.fingerprint:
        return Check(
            what,
            "danger",
            "Ce certificat n’est pas enregistré ici.",
            "S’il vous a été remis par quelqu’un d’autre, apportez-le à votre syndicat.",
        )
    if known.person_id != person.pk:
        return Check(
            what,
            "danger",
            "Il est enregistré au nom d’une autre personne.",
            "Utilisez le vôtre : un certificat ne se prête pas.",
        )
    if not known.is_usable(at):
        return Check(what, "danger", "Il n’est plus en service ici.", "Appelez votre syndicat.")
    if not known.serves(siren):
        return Check(
            what,
            "warning",
            "Il est enregistré à votre nom, mais pas pour cet organisme.",
            "Demandez à votre syndicat de l’enregistrer aussi pour cette commune.",
        )
    return Check(what, "success", "Il est enregistré à votre nom.")


def _policies(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [one.policy_identifier.dotted_string for one in found]


def _first(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    return next((str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)), "")
