from datetime import date
from decimal import Decimal
from hashlib import sha256
from io import BytesIO

import pytest

from socle.helios.protocol import aller_reader
from socle.helios.protocol.aller import BordereauKey, Domain, Signature
from socle.helios.protocol.aller_reader import read_aller
from socle.helios.protocol.refusals import (
    EmptyFile,
    ForbiddenDoctype,
    MalformedXml,
    NotPes,
    NotXml,
    RepeatedField,
    TooDeep,
    TooLarge,
    TooManyObjects,
    UndecodableBytes,
    UnreadableFile,
    WrongNamespace,
)
from socle.helios.protocol.streaming import MAX_DEPTH
from tests.helios.protocol import builders as pes
from tests.helios.protocol.shared_data import ALLER_XSD, VERSIONS, sample, schema_errors

# What is carried


def test_h001_the_header_of_a_correct_flux_is_read() -> None:
    header = read_aller(pes.aller()).header

    assert (header.nom_fic, header.typ_fic, header.version) == ("PES-2026-001", "PESALR1", "2")
    assert (header.id_post, header.id_coll, header.cod_col, header.cod_bud) == (
        "079012",
        "21790174400011",
        "123",
        "00",
    )
    assert header.libelle_col_bud == "MELLE"
    assert header.dated == date(2026, 1, 5)


def test_an_impossible_date_is_kept_as_text_only() -> None:
    header = read_aller(pes.aller(DteStr="2026-13-45")).header

    assert header.dte_str == "2026-13-45"
    assert header.dated is None


def test_size_and_digest_are_those_of_the_bytes() -> None:
    data = pes.aller()

    flux = read_aller(data)

    assert flux.size == len(data)
    assert flux.sha256 == sha256(data).hexdigest()


def test_a_stream_reads_like_its_bytes() -> None:
    assert read_aller(BytesIO(pes.aller())) == read_aller(pes.aller())


def test_h006_accents_in_nom_fic_survive() -> None:
    assert read_aller(pes.aller(nom_fic="Été n° 1")).header.nom_fic == "Été n° 1"


def test_h036_accents_in_the_label_of_the_budget_survive() -> None:
    header = read_aller(pes.aller(LibelleColBud="Test é(-è_çà)=")).header

    assert header.libelle_col_bud == "Test é(-è_çà)="


def test_domains_come_in_the_order_of_the_file() -> None:
    flux = read_aller(pes.aller(pes.depense(), pes.recette(), pes.attachments(pes.pj())))

    assert flux.domains == (Domain.DEPENSE, Domain.RECETTE, Domain.PJ)


def test_facture_and_marche_are_recognised_without_being_summed() -> None:
    flux = read_aller(pes.aller("<PES_Facture/>", "<PES_Marche/>"))

    assert flux.domains == (Domain.FACTURE, Domain.MARCHE)
    assert flux.totals == ()


def test_a_bordereau_is_summed_over_its_lines() -> None:
    mandat = pes.mandat(pes.line("100.00", "20.00"), pes.line("0.10", number=2))
    flux = read_aller(pes.aller(pes.depense(pes.bordereau(mandat, pes.mandat(), ht="200.10"))))

    (found,) = flux.bordereaux
    assert found.key == BordereauKey(Domain.DEPENSE, "2026", "01", "7")
    assert (found.pieces, found.lines, found.declared_pieces) == (2, 3, 2)
    assert (found.total_ht, found.total_tva) == (Decimal("200.10"), Decimal("20.00"))
    assert found.total_ttc == Decimal("220.10")
    assert found.declared_ht == Decimal("200.10")
    assert found.issued_on == date(2026, 1, 5)
    assert found.type_label == "Ordinaire"


def test_a_bordereau_de_recette_spells_its_amount_otherwise() -> None:
    (found,) = read_aller(pes.aller(pes.recette())).bordereaux

    assert found.declared_ht == found.total_ht == Decimal("50.00")


def test_each_domain_has_its_own_total() -> None:
    flux = read_aller(
        pes.aller(pes.depense(pes.bordereau(), pes.bordereau(number="8")), pes.recette())
    )

    depense, recette = flux.totals
    assert (depense.bordereaux, depense.pieces, depense.total_ttc) == (2, 2, Decimal("200.00"))
    assert (recette.bordereaux, recette.pieces, recette.total_ttc) == (1, 1, Decimal("50.00"))
    assert (flux.pieces, flux.lines) == (3, 3)


def test_an_annulation_is_deducted_from_the_total() -> None:
    cancelled = pes.bordereau(pes.mandat(pes.line("30.00")), type_code="02", ht="30.00")

    (total,) = read_aller(pes.aller(pes.depense(pes.bordereau(), cancelled))).totals

    assert total.total_ht == Decimal("70.00")


def test_an_amount_elsewhere_in_the_file_is_not_summed() -> None:
    elsewhere = "<Autre><InfoLignePce><MtHT V='9.00'/></InfoLignePce></Autre>"

    (total,) = read_aller(pes.aller(pes.depense(pes.bordereau() + elsewhere))).totals

    assert total.total_ht == Decimal("100.00")


@pytest.mark.parametrize("amount", ["12,50", "NaN", "1e9", "", "1.234"])
def test_an_unreadable_amount_is_counted_not_guessed(amount: str) -> None:
    lines = pes.mandat(pes.line(amount), pes.line("5.00"))

    (found,) = read_aller(pes.aller(pes.depense(pes.bordereau(lines)))).bordereaux

    assert (found.unreadable_amounts, found.total_ht) == (1, Decimal("5.00"))


def test_an_unknown_type_of_bordereau_shows_its_code() -> None:
    (found,) = read_aller(pes.aller(pes.depense(pes.bordereau(type_code="42")))).bordereaux

    assert found.type_label == "42"


def test_an_attachment_is_described_without_being_opened() -> None:
    (found,) = read_aller(pes.aller(pes.attachments(pes.pj()))).attachments

    assert (found.id_unique, found.name, found.type_code) == ("PJ20261", "facture.pdf", "003")
    assert found.mime_type == "application/pdf"
    assert found.gzipped


def test_the_size_of_an_attachment_is_that_of_the_compressed_bytes() -> None:
    (found,) = read_aller(pes.aller(pes.attachments(pes.pj(content="H4sI\n QUI=")))).attachments

    assert found.compressed_size == 5


def test_h032_an_attachment_without_mime_type_is_read() -> None:
    (found,) = read_aller(pes.aller(pes.attachments(pes.pj(mime=None)))).attachments

    assert found.mime_type == ""


def test_h033_content_that_is_not_gzip_is_noticed() -> None:
    (found,) = read_aller(pes.aller(pes.attachments(pes.pj(content="JVBERi0xLjc=")))).attachments

    assert not found.gzipped


def test_h031_an_attachment_beside_its_block_is_shown() -> None:
    flux = read_aller(pes.aller(pes.depense(), pes.pj()))

    assert [found.id_unique for found in flux.attachments] == ["PJ20261"]
    assert flux.unexpected_blocks == ("PJ",)


def test_electronic_references_that_are_not_carried_are_awaited() -> None:
    references = (
        pes.reference("PJ20261") + pes.reference("PJ20262") + pes.reference("PAPIER", support="02")
    )
    mandat = pes.mandat(references=references)

    flux = read_aller(pes.aller(pes.depense(pes.bordereau(mandat)), pes.attachments(pes.pj())))

    assert flux.awaited_attachments == ("PJ20262",)


def test_h047_a_text_of_more_than_ten_megabytes_is_read() -> None:
    content = "H4sI" + "QUJD" * 3_000_000

    (found,) = read_aller(pes.aller(pes.attachments(pes.pj(content=content)))).attachments

    assert found.compressed_size == 9_000_003


def test_h054_the_acquit_of_a_retour_expects_no_answer() -> None:
    flux = read_aller(pes.acquit_retour())

    assert not flux.expects_acquit
    assert not flux.is_empty
    assert read_aller(pes.aller()).expects_acquit


def test_h016_a_flux_with_nothing_but_its_header_is_empty() -> None:
    assert read_aller(pes.aller("")).is_empty


# Signatures


def test_h008_an_unsigned_flux_without_ids_is_read() -> None:
    assert read_aller(pes.aller()).signature is Signature.NONE


def test_a_signature_on_the_root_covers_everything() -> None:
    assert read_aller(pes.aller(pes.depense(), pes.SIGNATURE)).signature is Signature.GLOBAL


def test_a_signature_on_each_bordereau_covers_every_one() -> None:
    flux = read_aller(pes.aller(pes.depense(pes.bordereau(signed=True))))

    assert flux.signature is Signature.EVERY_BORDEREAU


def test_a_bordereau_left_unsigned_is_noticed() -> None:
    signed, unsigned = pes.bordereau(signed=True), pes.bordereau(number="8")

    flux = read_aller(pes.aller(pes.depense(signed, unsigned)))

    assert flux.signature is Signature.SOME_BORDEREAUX
    assert [bordereau.signed for bordereau in flux.bordereaux] == [True, False]


def test_a_signature_element_outside_the_xmldsig_namespace_signs_nothing() -> None:
    flux = read_aller(pes.aller(pes.depense(), "<Signature/>"))

    assert flux.signature is Signature.NONE


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param((pes.depense(), pes.SIGNATURE, pes.SIGNATURE), id="twice"),
        pytest.param((pes.depense(pes.bordereau(pes.mandat() + pes.SIGNATURE * 2)),), id="again"),
        pytest.param((pes.depense(pes.bordereau(pes.mandat(pes.SIGNATURE))),), id="in-a-piece"),
        pytest.param((pes.attachments(pes.SIGNATURE),), id="in-the-attachments"),
    ],
)
def test_a_signature_out_of_place_is_astray(blocks: tuple[str, ...]) -> None:
    assert read_aller(pes.aller(*blocks)).stray_signatures == 1


def test_an_id_given_twice_is_noticed() -> None:
    twins = pes.bordereau(xml_id="B1"), pes.bordereau(number="8", xml_id="B1")

    assert read_aller(pes.aller(pes.depense(*twins))).duplicate_ids == ("B1",)


# Encodings


@pytest.mark.parametrize("declared", ["ISO-8859-1", "iso-8859-1"])
def test_the_declared_encoding_is_told_as_written(declared: str) -> None:
    flux = read_aller(pes.aller(declaration=f'<?xml version="1.0" encoding="{declared}"?>'))

    assert flux.encoding == declared
    assert flux.encoding_is_literal == (declared == "ISO-8859-1")


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1252", "UTF-16"])
def test_another_encoding_is_read_all_the_same(encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    data = pes.aller(declaration=declaration, encoding=encoding, LibelleColBud="CHÂTEAU")

    flux = read_aller(data)

    assert flux.header.libelle_col_bud == "CHÂTEAU"
    assert flux.encoding == encoding


def test_a_file_that_declares_nothing_is_utf8() -> None:
    flux = read_aller(pes.aller(declaration="", encoding="UTF-8", LibelleColBud="CHÂTEAU"))

    assert (flux.encoding, flux.header.libelle_col_bud) == ("UTF-8", "CHÂTEAU")


def test_a_utf8_mark_outweighs_the_declaration() -> None:
    flux = read_aller(b"\xef\xbb\xbf" + pes.aller(encoding="UTF-8", LibelleColBud="CHÂTEAU"))

    assert (flux.encoding, flux.header.libelle_col_bud) == ("UTF-8", "CHÂTEAU")


# What cannot be read

DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        pytest.param(b"", EmptyFile, id="h017-zero-byte"),
        pytest.param(b" \r\n", EmptyFile, id="blank"),
        pytest.param(b"%PDF-1.7\n...", NotXml, id="h018-pdf"),
        pytest.param(b"PK\x03\x04....", NotXml, id="h018-zip"),
        pytest.param(b"<!DOCTYPE html><html></html>", NotXml, id="h018-web-page"),
        pytest.param(b"Bonjour", NotXml, id="h018-text"),
        pytest.param(pes.aller()[:-20], MalformedXml, id="truncated"),
        pytest.param(pes.aller() + b"<x/>", MalformedXml, id="two-roots"),
        pytest.param(pes.aller("<a>&inconnue;</a>"), MalformedXml, id="unknown-entity"),
        pytest.param(
            pes.aller(declaration=pes.DECLARATION + DOCTYPE), ForbiddenDoctype, id="h046-entities"
        ),
        pytest.param(
            pes.aller(declaration=f"{pes.DECLARATION}<!-- {'x' * 9000} -->{DOCTYPE}"),
            ForbiddenDoctype,
            id="h046-late-doctype",
        ),
        pytest.param(pes.acquit(), NotPes, id="acquit"),
        pytest.param(b"<html xmlns='x'/>", NotXml, id="xhtml"),
        pytest.param(b"<facture/>", NotPes, id="other-root"),
        pytest.param(pes.aller(namespace="urn:autre"), WrongNamespace, id="other-namespace"),
        pytest.param(b"<PES_Aller/>", WrongNamespace, id="no-namespace"),
        pytest.param(
            pes.aller(declaration='<?xml version="1.0" encoding="UTF-8"?>', LibelleColBud="CHÂ"),
            UndecodableBytes,
            id="not-the-declared-encoding",
        ),
        pytest.param(
            pes.aller(declaration='<?xml version="1.0" encoding="KLINGON"?>'),
            UndecodableBytes,
            id="unknown-encoding",
        ),
        pytest.param(pes.aller("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH), TooDeep, id="too-deep"),
        pytest.param(
            pes.aller(pes.entete(CodCol="999"), pes.depense()), RepeatedField, id="two-headers"
        ),
    ],
)
def test_a_file_that_is_no_pes_is_refused(data: bytes, refusal: type[UnreadableFile]) -> None:
    with pytest.raises(refusal) as refused:
        read_aller(data)

    assert type(refused.value) is refusal
    assert str(refused.value).endswith(".")


def test_the_refusal_of_another_root_names_it() -> None:
    with pytest.raises(NotPes, match="« PES_Retour »"):
        read_aller(pes.retour())


def test_the_refusal_of_a_namespace_names_the_one_found() -> None:
    with pytest.raises(WrongNamespace, match="« urn:autre »"):
        read_aller(pes.aller(namespace="urn:autre"))


def test_h020_reading_stops_at_the_limit() -> None:
    source = BytesIO(pes.aller(pes.attachments(pes.pj(content="QUJD" * 500_000))))

    with pytest.raises(TooLarge, match="1 Mio"):
        read_aller(source, limit=1024**2)

    assert source.tell() < 1024**2 + 200_000


def test_a_file_of_exactly_the_limit_is_read() -> None:
    data = pes.aller()

    assert read_aller(data, limit=len(data)).size == len(data)


def test_too_many_objects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aller_reader, "MAX_REMEMBERED", 2)
    bordereaux = [pes.bordereau(number=str(number)) for number in (1, 2, 3)]

    with pytest.raises(TooManyObjects):
        read_aller(pes.aller(pes.depense(*bordereaux)))


# The sample files


@pytest.mark.parametrize(
    ("name", "nom_fic", "declared_ht", "total_ht"),
    [
        (
            "aller-minimal-valid",
            "HELIOS_SIMU_ALR2_1496987735_826268894.xml",
            "75724.75",
            "39724.75",
        ),
        ("aller-same-content-1", "SICOVAL201512104", "55.22", "55.22"),
        (
            "aller-utf8-valid-until-5.12",
            "PESALR1_22610001400134_01D0003536_20200727061514",
            "3032",
            "3032",
        ),
    ],
)
def test_a_sample_is_read(name: str, nom_fic: str, declared_ht: str, total_ht: str) -> None:
    flux = read_aller(sample(f"{name}.xml"))

    (found,) = flux.bordereaux
    assert flux.header.nom_fic == nom_fic
    assert (found.declared_ht, found.total_ht) == (Decimal(declared_ht), Decimal(total_ht))
    assert (found.pieces, found.lines) == (1, 1)


def test_the_sample_with_accents_keeps_them() -> None:
    header = read_aller(sample("aller-accents-valid.xml")).header

    assert header.libelle_col_bud == "Test é(-è_çà)="


def test_the_signed_sample_is_signed_per_bordereau() -> None:
    signed = read_aller(sample("aller-signed-bordereau-xades122.xml"))
    before = read_aller(sample("aller-before-signature.xml"))

    assert signed.signature is Signature.EVERY_BORDEREAU
    assert before.signature is Signature.NONE


def test_the_sample_with_a_stray_attachment_tells_it() -> None:
    assert read_aller(sample("aller-stray-pj.xml")).unexpected_blocks == ("PJ",)


def test_h030_a_number_of_nine_digits_is_shown_as_it_is() -> None:
    (found,) = read_aller(sample("aller-xsd-invalid-idbord.xml")).bordereaux

    assert found.number == "733981751"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "valid_in"),
    [
        ("aller-minimal-valid", VERSIONS),
        ("aller-accents-valid", VERSIONS),
        ("aller-utf8-valid-until-5.12", ("v5.11", "v5.12")),
        ("aller-stray-pj", ()),
        ("aller-xsd-invalid-idbord", ()),
    ],
)
def test_a_sample_is_read_whether_the_schema_accepts_it_or_not(
    name: str, valid_in: tuple[str, ...], version: str
) -> None:
    data = sample(f"{name}.xml")

    assert (schema_errors(data, version, ALLER_XSD) == []) == (version in valid_in)
    assert read_aller(data).header.nom_fic
