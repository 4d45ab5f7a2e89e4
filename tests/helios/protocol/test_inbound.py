from io import BytesIO

import pytest

from socle.helios.protocol.inbound import InboundKind, sort_inbound
from socle.helios.protocol.refusals import MalformedXml, NotPes
from socle.helios.protocol.retour import read_retour
from tests.helios.protocol import builders as pes
from tests.helios.protocol.shared_data import sample


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        pytest.param("PESALR2_2179_260105_001.xml", pes.aller(), InboundKind.OWN, id="h078-own"),
        pytest.param("079012_2601.ocre", b"00 11", InboundKind.OCR, id="h093-ocre"),
        pytest.param("A.OCR", b"", InboundKind.OCR, id="h093-upper-case"),
        pytest.param("SIMU.xml", pes.acquit(), InboundKind.ACQUIT, id="acquit"),
        pytest.param("ACK", pes.acquit(namespace=pes.RETOUR), InboundKind.ACQUIT, id="acquit-v1"),
        pytest.param("x", pes.acquit(root="PES_NonAcquit"), InboundKind.ACQUIT, id="non-acquit"),
        pytest.param("ACK.xml", pes.retour(), InboundKind.RETOUR, id="retour-named-ack"),
        pytest.param("h105.dat", pes.retour(), InboundKind.RETOUR, id="h105-no-extension"),
        pytest.param("x.xml", b"<autre/>", InboundKind.UNKNOWN, id="h091-wrong-root"),
        pytest.param("x.xml", b"pas du XML", InboundKind.UNKNOWN, id="h092-not-xml"),
        pytest.param("x.xml", b"", InboundKind.UNKNOWN, id="empty"),
        pytest.param("x.xml", b"<!DOCTYPE x><PES_ACQUIT/>", InboundKind.UNKNOWN, id="doctype"),
    ],
)
def test_a_received_file_is_sorted_by_its_content(
    name: str, data: bytes, kind: InboundKind
) -> None:
    assert sort_inbound(name, data) is kind


def test_a_damaged_acquit_is_still_sorted_as_one() -> None:
    assert sort_inbound("x.xml", pes.acquit()[:-30]) is InboundKind.ACQUIT


def test_sorting_leaves_the_stream_where_it_was() -> None:
    stream = BytesIO(pes.retour())

    sort_inbound("x.xml", stream)

    assert stream.tell() == 0


def test_a_retour_says_whose_it_is_and_what_about() -> None:
    found = read_retour(pes.retour())

    assert found.header.id_coll == "21790174400011"
    assert found.header.cod_col == "123"
    assert found.labels == ("Dépense",)
    assert found.typ_restit == "02"


def test_a_retour_of_an_unknown_kind_is_recognised_all_the_same() -> None:
    found = read_retour(pes.retour("<PES_RecetteRetour/>", "<PES_DeDemain/>"))

    assert found.labels == ("Recette", "PES_DeDemain")


@pytest.mark.parametrize("domain", ["Depense", "Recette", "Client"])
def test_the_restitution_is_read_in_each_domain(domain: str) -> None:
    head = f"<EnTete{domain}>{pes.values(TypRestit='01')}</EnTete{domain}>"

    assert read_retour(pes.retour(f"<PES_{domain}Retour>{head}</PES_{domain}Retour>")).typ_restit


def test_another_file_is_no_retour() -> None:
    with pytest.raises(NotPes, match="un PES retour"):
        read_retour(pes.acquit())


def test_a_truncated_retour_is_refused() -> None:
    with pytest.raises(MalformedXml):
        read_retour(pes.retour()[:-5])


def test_the_retour_sample_is_recognised() -> None:
    found = read_retour(sample("retour-depense.xml"))

    assert (found.header.id_coll, found.header.cod_col) == ("12345678900012", "221")
    assert found.blocks == ("PES_DepenseRetour",)


@pytest.mark.parametrize("name", ["acquit-ok", "acquit-ko-lines", "acquit-ko-pieces"])
def test_the_acquit_samples_are_sorted_as_acquits(name: str) -> None:
    assert sort_inbound(f"{name}.xml", sample(f"{name}.xml")) is InboundKind.ACQUIT
