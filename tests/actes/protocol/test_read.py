from datetime import date

import pytest

from socle.actes.protocol.archive import read_archive
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.identifiers import UnreadableIdentifier
from socle.actes.protocol.read import (
    UnknownMessage,
    UnusableMessage,
    read_classification,
    read_message,
)
from socle.actes.protocol.values import (
    Acknowledgement,
    ActeData,
    Anomaly,
    CancellationAck,
    ClassificationUnchanged,
    Emitter,
    Envelope,
    EnvelopeAnomaly,
    ReturnEnvelope,
)
from socle.actes.protocol.xml import HostileXml, UnreadableXml
from tests.actes.protocol.givens import sample

NS = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
ISO = '<?xml version="1.0" encoding="ISO-8859-1"?>'
BODY = (
    '<actes:ActeRecu actes:Date="2018-10-01" actes:NumeroInterne="123456" actes:CodeNatureActe="1">'
    '<actes:CodeMatiere1 actes:CodeMatiere="5"/><actes:CodeMatiere2 actes:CodeMatiere="2"/>'
    "<actes:Objet>Délégués à l'assemblée</actes:Objet>"
    "<actes:ClassificationDateVersion>2017-12-08</actes:ClassificationDateVersion>"
    "<actes:Document><actes:NomFichier>a.pdf</actes:NomFichier></actes:Document>"
    '<actes:Annexes actes:Nombre="0"/>{paper}</actes:ActeRecu>'
    "<actes:ClassificationDateVersionEnCours>2018-11-28</actes:ClassificationDateVersionEnCours>"
)
DETAIL = "ODT-VERIF-01 : la classification utilisée n'est pas à jour"


def xml(root: str, content: str = "", attributes: str = "", *, encoding: str = "latin-1") -> bytes:
    text = f'{ISO}<actes:{root} xmlns:actes="{NS}" {attributes}>{content}</actes:{root}>'
    return text.encode(encoding)


def acknowledgement(
    paper: str = "", attributes: str = 'actes:DateReception="2018-10-02"', **how: str
) -> bytes:
    identifier = 'actes:IDActe="044-214400152-20181001-123456-DE"'
    return xml("ARActe", BODY.format(paper=paper), f"{identifier} {attributes}", **how)


def anomaly(nature: str, detail: str | None = DETAIL, *, encoding: str = "latin-1") -> bytes:
    told = "" if detail is None else f"<actes:Detail>{detail}</actes:Detail>"
    head = f"<actes:Date>2018-10-12</actes:Date><actes:Nature>{nature}</actes:Nature>{told}"
    return xml("AnomalieActe", head + BODY.format(paper=""), encoding=encoding)


def read_anomaly(data: bytes) -> Anomaly:
    message = read_message("044-214400152----1-3_1.xml", data)
    assert isinstance(message, Anomaly)
    return message


def read_acknowledgement(data: bytes) -> Acknowledgement:
    message = read_message("044-214400152-20181001-123456-DE-1-2_1.xml", data)
    assert isinstance(message, Acknowledgement)
    return message


def test_F01_an_acknowledgement_gives_the_identifier_and_the_ministry_date() -> None:
    message = read_acknowledgement(sample("006-210600235-20180522-684-AI-1-2_5279.xml"))

    assert str(message.acte) == "006-210600235-20180522-684-AI"
    assert message.received_on == date(2018, 5, 28)
    assert message.classification_date == date(2017, 4, 19)
    assert message.data is not None
    assert message.data.objet == "Contrat à durée déterminée - Jean Dupont"
    assert (message.data.number, message.data.nature, message.data.matiere) == ("684", 3, (4, 2))
    assert message.data.paper_complement is False


def test_an_acknowledgement_without_encoding_declaration_is_read() -> None:
    message = read_acknowledgement(sample("034-491011698-20171207-CL20171227_06-DE-1-2.xml"))

    assert message.acte.number == "CL20171227_06"
    assert message.received_on == date(2017, 12, 27)
    assert message.data is not None
    assert message.data.objet == "Fichier signé parapheur"


@pytest.mark.parametrize(
    ("paper", "expected"),
    [
        ("<actes:DocumentPapier>N</actes:DocumentPapier>", False),
        ("<actes:DocumentPapier>0</actes:DocumentPapier>", False),
        ("<actes:DocumentPapier>O</actes:DocumentPapier>", True),
        ("<actes:DocumentPapier/>", None),
        ("", None),
    ],
)
def test_C02_F27_any_form_of_the_paper_mark_is_accepted(paper: str, expected: bool | None) -> None:
    message = read_acknowledgement(acknowledgement(paper))

    assert message.data is not None
    assert message.data.paper_complement is expected


@pytest.mark.parametrize("attributes", ["", 'actes:DateReception=""', 'actes:DateReception="hier"'])
def test_F28_an_acknowledgement_without_reception_date_is_unusable(attributes: str) -> None:
    with pytest.raises(UnusableMessage, match="date de réception"):
        read_message("ar.xml", acknowledgement(attributes=attributes))


def test_F28_an_acknowledgement_that_is_not_xml_is_unreadable() -> None:
    with pytest.raises(UnreadableXml):
        read_message("ar.xml", b"KO")


def test_a_reception_date_with_a_time_zone_is_read() -> None:
    data = acknowledgement(attributes='actes:DateReception="2018-10-02+02:00"')

    assert read_acknowledgement(data).received_on == date(2018, 10, 2)


def test_attributes_without_prefix_are_read_on_reception() -> None:
    data = acknowledgement(attributes='DateReception="2018-10-02"')

    assert read_acknowledgement(data).received_on == date(2018, 10, 2)


def test_F08_an_anomaly_is_matched_by_what_it_echoes() -> None:
    message = read_anomaly(anomaly("002"))

    assert message.data is not None
    assert (message.data.number, message.data.decided_on, message.data.nature) == (
        "123456",
        date(2018, 10, 1),
        1,
    )
    assert message.detail == DETAIL
    assert message.classification_date == date(2018, 11, 28)


def test_F06_an_anomaly_is_summed_up_by_nature_and_detail() -> None:
    assert read_anomaly(anomaly("042", "Ca ne fonctionne pas")).summary == (
        "042 - Ca ne fonctionne pas"
    )


def test_F10_an_anomaly_without_detail_is_read() -> None:
    assert read_anomaly(anomaly("042", None)).summary == "042"


def test_C13_an_anomaly_nature_of_one_digit_is_accepted() -> None:
    assert read_anomaly(anomaly("2")).nature == "2"


@pytest.mark.parametrize("nature", ["ERREUR2", ""])
def test_C14_an_anomaly_nature_that_is_no_number_is_unusable(nature: str) -> None:
    with pytest.raises(UnusableMessage):
        read_message("ano.xml", anomaly(nature))


def test_F16_an_anomaly_says_whether_the_classification_is_stale() -> None:
    assert read_anomaly(anomaly("002")).is_stale_classification
    assert not read_anomaly(anomaly("042", "Ca ne fonctionne pas")).is_stale_classification


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_C16_C17_accents_survive_iso_bytes_and_utf_8_bytes_under_an_iso_header(
    encoding: str,
) -> None:
    message = read_anomaly(
        anomaly("002", "Votre acte a été transmis : état « reçu »", encoding=encoding)
    )

    assert message.detail == "Votre acte a été transmis : état « reçu »"


def test_C16_iso_bytes_that_happen_to_be_valid_utf_8_stay_iso() -> None:
    otherwise_ascii = anomaly("002", "QUALITÉ»").replace(b"\xe9", b"e").replace(b"\xe0", b"a")

    assert otherwise_ascii.decode("utf-8")
    assert read_anomaly(otherwise_ascii).detail == "QUALITÉ»"


def test_windows_1252_bytes_under_an_iso_header_are_read() -> None:
    assert read_anomaly(anomaly("002", "l’été…", encoding="cp1252")).detail == "l’été…"


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0"?>', "\ufeff" + ISO])
def test_I17_a_file_in_utf_8_without_honest_declaration_is_read(declaration: str) -> None:
    text = anomaly("002", "déjà").decode("latin-1").replace(ISO, declaration)

    assert read_anomaly(text.encode()).detail == "déjà"


@pytest.mark.parametrize("prefix", ["a", "ns1"])
def test_C19_any_prefix_is_recognised(prefix: str) -> None:
    data = acknowledgement().replace(b"actes:", f"{prefix}:".encode())

    assert read_acknowledgement(data.replace(b"xmlns:actes", f"xmlns:{prefix}".encode())).data


def test_C19_a_default_namespace_is_recognised() -> None:
    data = acknowledgement().replace(b"actes:", b"").replace(b"xmlns:actes", b"xmlns")

    message = read_acknowledgement(data)

    assert message.received_on == date(2018, 10, 2)
    assert message.data is not None
    assert message.data.number == "123456"


def test_C22_an_acknowledgement_of_2013_is_read() -> None:
    echo = BODY.format(paper="").split("</actes:ActeRecu>")[0] + "</actes:ActeRecu>"
    data = xml(
        "ARActe",
        echo + echo,
        'actes:IDActe="034-000000000-20130620-AB-12-DE" actes:DateReception="2013-06-23"',
    ).replace(b"ISO-8859-1", b"windows-1252")

    message = read_acknowledgement(data)

    assert (message.acte.number, message.received_on) == ("AB-12", date(2013, 6, 23))


def test_C03_a_skipped_matiere_level_keeps_its_place() -> None:
    data = acknowledgement().replace(
        b"<actes:Objet>",
        b'<actes:CodeMatiere3 actes:CodeMatiere="4"/><actes:CodeMatiere5 actes:CodeMatiere="6"/>'
        b"<actes:Objet>",
    )

    message = read_acknowledgement(data)

    assert message.data is not None
    assert message.data.matiere == (5, 2, 4, 0, 6)


def test_an_acknowledgement_of_no_acte_is_refused() -> None:
    with pytest.raises(UnreadableIdentifier):
        read_message("ar.xml", xml("ARActe", attributes='actes:DateReception="2018-10-02"'))


def envelope_anomaly(nature: str, detail: str) -> bytes:
    return xml(
        "AnomalieEnveloppe",
        f"<actes:Date>2018-09-25</actes:Date><actes:Nature>{nature}</actes:Nature>"
        f"<actes:Detail>{detail}</actes:Detail><actes:EnveloppeRecue><actes:Emetteur>"
        '<actes:IDCL xmlns:insee="http://xml.insee.fr/schema" insee:SIREN="214400152"'
        ' actes:Departement="044" actes:Arrondissement="1" actes:Nature="31"/></actes:Emetteur>'
        "<actes:AdressesRetour><actes:Email>a@example.fr</actes:Email></actes:AdressesRetour>"
        "<actes:FormulairesEnvoyes><actes:Formulaire>"
        "<actes:NomFichier>044-214400152-20180905-4365-DE-4365-DE_0.xml</actes:NomFichier>"
        "</actes:Formulaire></actes:FormulairesEnvoyes></actes:EnveloppeRecue>",
    )


@pytest.mark.parametrize(
    ("nature", "detail", "summary"),
    [
        ("999", "ODT-VERIF-17", "999 - ODT-VERIF-17"),
        ("5", "PREF-VERIF-02", "5 - PREF-VERIF-02"),
        ("005", "", "005"),
    ],
)
def test_C12_F11_F14_an_envelope_anomaly_names_our_envelope(
    nature: str, detail: str, summary: str
) -> None:
    name = "ANO_EACT--214400152--20180925-1.xml"

    message = read_message(name, envelope_anomaly(nature, detail))

    assert isinstance(message, EnvelopeAnomaly)
    assert message.envelope_name == "EACT--214400152--20180925-1.xml"
    assert message.summary == summary
    assert message.reported_on == date(2018, 9, 25)


def test_F12_an_envelope_anomaly_lists_every_message_it_refuses() -> None:
    message = read_message("ANO_x.xml", envelope_anomaly("999", "x"))

    assert isinstance(message, EnvelopeAnomaly)
    assert message.envelope is not None
    assert message.envelope.emitter == Emitter("214400152", "044", "1", "31")
    assert message.envelope.messages == ("044-214400152-20180905-4365-DE-4365-DE_0.xml",)


def test_the_return_envelope_tells_office_and_recipient() -> None:
    message = read_message(
        "EACT--SPREF0441-214400152-20181012-9.xml",
        sample("EACT--SPREF0441-214400152-20181012-9.xml"),
    )

    assert isinstance(message, ReturnEnvelope)
    assert (message.office, message.departement, message.arrondissement) == ("SousPref", "044", "1")
    assert message.siren == "214400152"
    assert message.messages == ("044-214400152----1-3_1.xml",)


def test_H04_an_acknowledged_cancellation_gives_the_acte_and_the_date() -> None:
    message = read_message("x.xml", sample("044-214400152-20181106-TEST_DGCL_4-DE-6-2_10.xml"))

    assert isinstance(message, CancellationAck)
    assert str(message.acte) == "044-214400152-20181106-TEST_DGCL_4-DE"
    assert message.received_on == date(2018, 11, 28)


def test_the_acte_of_another_operator_is_read() -> None:
    message = read_message("x.xml", sample("034-491011698-20171207-CL20171227_06-DE-1-1_0.xml"))

    assert isinstance(message, ActeData)
    assert message.objet == "Fichier signé parapheur"


def test_an_archive_of_another_operator_tells_one_story() -> None:
    files = read_archive(sample("SIC-EACT--210600730--20180115-1.tar.gz"))
    envelope = read_message("e.xml", files["EACT--210600730--20180115-1.xml"])

    assert isinstance(envelope, Envelope)
    acte = read_message("m.xml", files[envelope.messages[0]])
    assert isinstance(acte, ActeData)
    assert acte.document in files


def test_I13_an_unchanged_classification_gives_its_date() -> None:
    content = "<actes:DateClassification>2018-11-28</actes:DateClassification>"

    assert read_message("x.xml", xml("ReponseClassificationSansChangement", content)) == (
        ClassificationUnchanged(date(2018, 11, 28))
    )


def test_I12_a_file_that_is_no_classification_is_refused() -> None:
    with pytest.raises(UnknownMessage):
        read_classification(acknowledgement())


def test_a_classification_without_matiere_or_date_is_unusable() -> None:
    dated = "<actes:DateClassification>2018-11-28</actes:DateClassification>"
    matiere = (
        '<actes:Matieres><actes:Matiere1 actes:CodeMatiere="1" actes:Libelle="x"/></actes:Matieres>'
    )
    for content in (dated, matiere):
        with pytest.raises(UnusableMessage):
            read_classification(xml("RetourClassification", content))


def test_I16_a_classification_of_2004_has_matieres_and_no_types() -> None:
    content = (
        "<actes:DateClassification>2004-12-01</actes:DateClassification><actes:NaturesActes>"
        '<actes:NatureActe actes:CodeNatureActe="1" actes:Libelle="D" actes:TypeAbrege="DE"/>'
        "</actes:NaturesActes><actes:Matieres>"
        '<actes:Matiere1 actes:CodeMatiere="1" actes:Libelle="Commande publique">'
        '<actes:Matiere2 actes:CodeMatiere="1" actes:Libelle="Marchés"/></actes:Matiere1>'
        "</actes:Matieres>"
    )

    classification = read_classification(xml("RetourClassification", content))

    assert isinstance(classification, Classification)
    assert classification.path((1, 1)) == ("Commande publique", "Marchés")
    assert classification.natures[0].typologies == ()


@pytest.mark.parametrize(
    "data",
    [
        b"<Acte/>",
        b'<x:Acte xmlns:x="urn:other"/>',
        xml("Inconnu"),
    ],
)
def test_a_root_foreign_to_the_norm_is_unknown(data: bytes) -> None:
    with pytest.raises(UnknownMessage):
        read_message("x.xml", data)


BOMB = (
    '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><l>&j;</l>"
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://example.invalid/a.dtd"><a/>',
        "<!DOCTYPE a><a/>",
    ],
)
@pytest.mark.parametrize("declaration", ["", ISO])
def test_C18_a_dtd_or_an_entity_is_refused(text: str, declaration: str) -> None:
    with pytest.raises(HostileXml):
        read_message("x.xml", (declaration + text).encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "ibm037"])
def test_C18_an_encoding_that_could_hide_a_dtd_is_refused(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a><a/>'

    with pytest.raises((UnreadableXml, HostileXml)):
        read_message("x.xml", text.encode(encoding))


def test_C18_a_very_large_or_very_deep_file_is_refused() -> None:
    with pytest.raises(HostileXml):
        read_message("x.xml", b"<a>" + b" " * 9 * 1024 * 1024 + b"</a>")
    with pytest.raises(UnreadableXml):
        read_message("x.xml", b"<a>" * 5000 + b"</a>" * 5000)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe", b"<a", b"plain", b"<a>&undefined;</a>"]
)
def test_broken_xml_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableXml):
        read_message("x.xml", data)
