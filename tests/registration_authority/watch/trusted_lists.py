"""A trusted list (ETSI TS 119 612) as a State publishes it: small, whole, and sealed."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.registration_authority.watch.peers import Signed, signed

SEALER = signed("Scheme operator")
STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_ALGORITHM = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


def trusted_list(services: list[tuple[Signed, bool]], *, number: int) -> bytes:
    """The list of these authorities, granted or withdrawn, sealed by the scheme operator."""
    providers = "".join(_provider(one, granted) for one, granted in services)
    bare = f"""<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" Id="tl" TSLTag="x">
<SchemeInformation><TSLVersionIdentifier>6</TSLVersionIdentifier>
<TSLSequenceNumber>{number}</TSLSequenceNumber><SchemeTerritory>FR</SchemeTerritory>
<ListIssueDateTime>2026-11-01T00:00:00Z</ListIssueDateTime>
<NextUpdate><dateTime>2027-04-30T00:00:00Z</dateTime></NextUpdate></SchemeInformation>
<TrustServiceProviderList>{providers}</TrustServiceProviderList>
</TrustServiceStatusList>"""
    root = etree.fromstring(bare.encode())
    digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
    signature = etree.fromstring(_signature(digest))
    root.append(signature)
    info = signature.find("{http://www.w3.org/2000/09/xmldsig#}SignedInfo")
    value = SEALER.key.sign(_canonical(info), ec.ECDSA(hashes.SHA256()))
    raw = b"".join(one.to_bytes(32, "big") for one in decode_dss_signature(value))
    encoded = base64.b64encode(raw).decode()
    signature.find("{http://www.w3.org/2000/09/xmldsig#}SignatureValue").text = encoded
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _provider(one: Signed, granted: bool) -> str:
    der = base64.b64encode(one.certificate.public_bytes(Encoding.DER)).decode()
    name = one.certificate.subject.rfc4514_string().partition("CN=")[2].partition(",")[0]
    status = "granted" if granted else "withdrawn"
    return f"""<TrustServiceProvider><TSPInformation><TSPName>
<Name xml:lang="en">Provider</Name><Name xml:lang="fr">Prestataire</Name></TSPName>
</TSPInformation><TSPServices><TSPService><ServiceInformation>
<ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/CA/QC</ServiceTypeIdentifier>
<ServiceName><Name xml:lang="en">{name}</Name></ServiceName>
<ServiceDigitalIdentity><DigitalId><X509Certificate>{der}</X509Certificate></DigitalId>
</ServiceDigitalIdentity><ServiceStatus>{STATUS}{status}</ServiceStatus>
</ServiceInformation></TSPService></TSPServices></TrustServiceProvider>"""


def _signature(digest: str) -> str:
    der = base64.b64encode(SEALER.certificate.public_bytes(Encoding.DER)).decode()
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    return f"""<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="{exclusive}"/>
<ds:SignatureMethod Algorithm="{_ALGORITHM}"/><ds:Reference URI=""><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="{exclusive}"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>
<ds:SignatureValue></ds:SignatureValue><ds:KeyInfo><ds:X509Data>
<ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"""


def _canonical(node: "etree._Element") -> bytes:
    return bytes(etree.tostring(node, method="c14n", exclusive=True, with_comments=False))
