"""The trusted list of a State (ETSI TS 119 612): which authorities it recognises.

Read with neither document type, entity nor network, and its size bounded: 788 KB in France.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from socle.core.refusals import Refusal

MAX_BYTES: Final = 20_000_000
TSL: Final = "{http://uri.etsi.org/02231/v2#}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
CERTIFICATION: Final = "http://uri.etsi.org/TrstSvc/Svctype/CA/"
GRANTED: Final = (
    "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted",
    "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/recognisedatnationallevel",
)
DIGESTS: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class UnreadableTrustedList(Refusal):
    """The file is no trusted list, or its seal does not hold."""

    code = "ra.unreadable_trusted_list"


@dataclass(frozen=True, slots=True)
class Service:
    """One certification service of the list: who runs it, and whether it is recognised."""

    provider: str
    name: str
    granted: bool
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list and its services; `signature` says in words what was checked of its seal."""

    territory: str
    number: int
    issued_at: datetime
    next_update: datetime | None
    sha256: str
    signature: str
    services: list[Service]


def read_trusted_list(content: bytes) -> ReadList:
    """The list in `content` (XML). Raises UnreadableTrustedList."""
    root = _parse(content)
    scheme = root.find(f"{TSL}SchemeInformation")
    if root.tag != f"{TSL}TrustServiceStatusList" or scheme is None:
        raise _unreadable("ce n’est pas une liste de confiance (ETSI TS 119 612)")
    try:
        end = scheme.findtext(f"{TSL}NextUpdate/{TSL}dateTime")
        return ReadList(
            territory=(scheme.findtext(f"{TSL}SchemeTerritory") or "")[:2],
            number=int(scheme.findtext(f"{TSL}TSLSequenceNumber") or ""),
            issued_at=_instant(scheme.findtext(f"{TSL}ListIssueDateTime") or ""),
            next_update=_instant(end) if end else None,
            sha256=hashlib.sha256(content).hexdigest(),
            signature=_seal(root),
            services=list(_services(root)),
        )
    except ValueError as fault:
        raise _unreadable("il manque son numéro ou sa date") from fault


def _services(root: etree._Element) -> Iterator[Service]:
    for provider in root.iter(f"{TSL}TrustServiceProvider"):
        name = _text(provider.find(f"{TSL}TSPInformation/{TSL}TSPName"))
        for service in provider.iter(f"{TSL}ServiceInformation"):
            kind = service.findtext(f"{TSL}ServiceTypeIdentifier") or ""
            if not kind.startswith(CERTIFICATION):
                continue
            status = (service.findtext(f"{TSL}ServiceStatus") or "").strip()
            label = _text(service.find(f"{TSL}ServiceName"))
            for certificate in _certificates(service):
                yield Service(name, label, status in GRANTED, certificate)


def _certificates(service: etree._Element) -> Iterator[x509.Certificate]:
    seen = set()
    identity = service.find(f"{TSL}ServiceDigitalIdentity")
    for node in identity.iter(f"{TSL}X509Certificate") if identity is not None else ():
        try:
            certificate = x509.load_der_x509_certificate(base64.b64decode(node.text or ""))
            certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            continue  # one service we cannot read hides no other
        if certificate not in seen:
            seen.add(certificate)
            yield certificate


def _text(names: etree._Element | None) -> str:
    """The French name when there is one, else the first."""
    found = list(names.iter(f"{TSL}Name")) if names is not None else []
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    french = [one for one in found if one.get(language) == "fr"]
    return ((french or found or [etree.Element("none")])[0].text or "").strip()


def _seal(root: etree._Element) -> str:
    """Whose seal the list bears. Raises UnreadableTrustedList when it does not hold.

    The digest of the whole list and the signature over it are checked (XML-DSig); who may sign a
    list is published in the Official Journal, and read by a person: her fingerprint is shown.
    """
    signature = root.find(f"{DS}Signature")
    if signature is None:
        return "aucun sceau"
    info = signature.find(f"{DS}SignedInfo")
    encoded = signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    value = signature.findtext(f"{DS}SignatureValue")
    if info is None or not encoded or not value:
        raise _unreadable("son sceau est incomplet")
    try:
        signer = x509.load_der_x509_certificate(base64.b64decode(encoded))
        _verify(signer, base64.b64decode(value), _canonical(info), _method(info))
        _check_whole(root, signature, info)
    except (InvalidSignature, ValueError, KeyError) as fault:
        raise _unreadable("son sceau ne correspond pas à son contenu") from fault
    print_ = signer.fingerprint(hashes.SHA256()).hex()
    return f"sceau intègre de {signer.subject.rfc4514_string()[:90]}, empreinte {print_}"[:200]


def _check_whole(root: etree._Element, signature: etree._Element, info: etree._Element) -> None:
    """The reference to the whole document has the digest of the list without its seal."""
    for reference in info.iter(f"{DS}Reference"):
        if reference.get("URI", "") not in ("", f"#{root.get('Id', '')}"):
            continue
        wanted = base64.b64decode(reference.findtext(f"{DS}DigestValue") or "")
        method = reference.find(f"{DS}DigestMethod")
        algorithm = DIGESTS[_last(method.get("Algorithm", "") if method is not None else "")]
        bare = etree.fromstring(etree.tostring(root), _parser())
        for seal in bare.findall(f"{DS}Signature"):
            _remove(seal)
        digest = hashes.Hash(algorithm())
        digest.update(_canonical(bare))
        if digest.finalize() != wanted:
            raise InvalidSignature
        return
    raise InvalidSignature


def _remove(node: etree._Element) -> None:
    """Take a node away and leave the text after it where it was."""
    parent = node.getparent()
    if parent is None:
        return
    before = node.getprevious()
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def _canonical(node: etree._Element) -> bytes:
    """Exclusive canonical form (the only one TS 119 612 §5.7.1 allows)."""
    return bytes(etree.tostring(node, method="c14n", exclusive=True, with_comments=False))


def _method(info: etree._Element) -> hashes.HashAlgorithm:
    method = info.find(f"{DS}SignatureMethod")
    name = _last(method.get("Algorithm", "") if method is not None else "")
    return DIGESTS[name.rsplit("-", 1)[-1]]()


def _verify(
    signer: x509.Certificate, value: bytes, content: bytes, digest: hashes.HashAlgorithm
) -> None:
    key = signer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(value, content, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        numbers = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
        key.verify(encode_dss_signature(*numbers), content, ec.ECDSA(digest))
    else:
        raise InvalidSignature


def _last(algorithm: str) -> str:
    return algorithm.rsplit("#", 1)[-1]


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=False
    )


def _parse(content: bytes) -> etree._Element:
    if len(content) > MAX_BYTES:
        raise _unreadable("elle est trop lourde")
    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as fault:
        raise _unreadable("le fichier n’est pas un XML lisible") from fault
    if root.getroottree().docinfo.doctype:
        raise _unreadable("elle contient une définition de type, ce qu’aucune liste ne fait")
    return root


def _unreadable(why: str) -> UnreadableTrustedList:
    return UnreadableTrustedList(
        f"Cette liste de confiance ne peut pas être lue : {why}.", field="trusted_list"
    )
