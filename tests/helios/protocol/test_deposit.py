from dataclasses import replace
from datetime import date

import pytest

from socle.helios.protocol.aller import BordereauKey, Domain
from socle.helios.protocol.aller_reader import read_aller
from socle.helios.protocol.deposit import (
    AlreadyDeposited,
    AmbiguousIds,
    Circumstances,
    DeclaredBudget,
    EarlierFlux,
    EmptyFlux,
    Finding,
    ForeignBudget,
    Level,
    NameAlreadyUsed,
    StraySignature,
    WrongEncoding,
    WrongHeader,
    check_deposit,
)
from tests.helios.protocol import builders as pes
from tests.helios.protocol.shared_data import sample

MELLE = DeclaredBudget("Melle", "21790174400011", "123", "00", "079012")
KNOWN = Circumstances(budgets=(MELLE,))
MONDAY = date(2026, 1, 5)
EARLIER = EarlierFlux("0" * 64, "PES-2026-001", "123", MONDAY, ours=True)


def check(data: bytes, known: Circumstances = KNOWN) -> list[tuple[Level, str]]:
    return [(finding.level, finding.code) for finding in check_deposit(read_aller(data), known)]


def sentences(data: bytes, known: Circumstances = KNOWN) -> list[str]:
    return [finding.sentence for finding in check_deposit(read_aller(data), known)]


def test_h001_a_correct_flux_has_nothing_to_say() -> None:
    assert check(pes.aller()) == []


def test_h006_accents_in_nom_fic_are_accepted() -> None:
    assert check(pes.aller(nom_fic="Été")) == []


# Form


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            pes.aller(declaration='<?xml version="1.0" encoding="UTF-8"?>'), id="h002-utf8"
        ),
        pytest.param(pes.aller(declaration=""), id="undeclared"),
        pytest.param(b"\xef\xbb\xbf" + pes.aller(), id="utf8-mark"),
        pytest.param(
            pes.aller(declaration='<?xml version="1.0" encoding="ISO-8859-15"?>'), id="latin-9"
        ),
    ],
)
def test_h002_an_encoding_other_than_iso_8859_1_is_refused(data: bytes) -> None:
    with pytest.raises(WrongEncoding, match="ISO-8859-1"):
        check(data)


def test_h035_a_sample_in_utf8_valid_otherwise_is_refused() -> None:
    with pytest.raises(WrongEncoding, match="« UTF-8 »"):
        check(sample("aller-utf8-valid-until-5.12.xml"))


def test_a_lower_case_encoding_is_accepted_with_a_warning() -> None:
    data = pes.aller(declaration='<?xml version="1.0" encoding="iso-8859-1"?>')

    assert check(data) == [(Level.WARNING, "encoding_spelling")]


def test_h016_an_empty_flux_is_refused() -> None:
    with pytest.raises(EmptyFlux, match="vide"):
        check(pes.aller(""))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"CodCol": "1234"}, "CodCol", id="h003-four-characters"),
        pytest.param({"IdColl": "123456789012345"}, "IdColl", id="h004-fifteen-digits"),
        pytest.param({"nom_fic": None}, "NomFic", id="h005-nom-fic-missing"),
        pytest.param({"nom_fic": "x" * 101}, "NomFic", id="nom-fic-too-long"),
        pytest.param({"nom_fic": "PES&#10;2026"}, "NomFic", id="nom-fic-line-feed"),
        pytest.param({"nom_fic": "PES&#9;2026"}, "NomFic", id="nom-fic-tab"),
        pytest.param({"nom_fic": "PES&#8238;2026"}, "NomFic", id="nom-fic-right-to-left"),
        pytest.param({"head": ""}, "EnTetePES", id="h021-no-header"),
        pytest.param({"CodBud": None}, "CodBud", id="h022-cod-bud-missing"),
        pytest.param({"CodCol": None}, "CodCol", id="h022-cod-col-missing"),
        pytest.param({"IdPost": None}, "IdPost", id="h022-id-post-missing"),
        pytest.param({"IdColl": ""}, "IdColl", id="id-coll-empty"),
        pytest.param({"CodBud": "001"}, "CodBud", id="h023-three-characters"),
        pytest.param({"CodCol": "12"}, "CodCol", id="h024-two-characters"),
        pytest.param({"CodCol": "000"}, "CodCol", id="h026-zero"),
        pytest.param({"IdPost": "07901"}, "IdPost", id="h027-five-characters"),
        pytest.param({"IdPost": "02a123"}, "IdPost", id="lower-case-corsica"),
    ],
)
def test_a_header_that_cannot_be_is_refused_and_named(
    changes: dict[str, str | None], field: str
) -> None:
    data = pes.aller(**changes)  # type: ignore[arg-type]

    with pytest.raises(WrongHeader, match=field) as refused:
        check(data)

    assert refused.value.field == field


def test_digits_of_another_script_are_no_code() -> None:
    flux = read_aller(pes.aller())
    arabic = replace(flux, header=replace(flux.header, cod_col="١٢٣"))

    with pytest.raises(WrongHeader, match="CodCol"):
        check_deposit(arabic, KNOWN)


def test_h028_a_corsican_codique_is_accepted() -> None:
    budget = replace(MELLE, id_post="02A123")

    assert check(pes.aller(IdPost="02A123"), Circumstances(budgets=(budget,))) == []


def test_h025_a_codique_of_seven_characters_is_accepted_with_a_warning() -> None:
    budget = replace(MELLE, id_post="0790121")

    found = check(pes.aller(IdPost="0790121"), Circumstances(budgets=(budget,)))

    assert found == [(Level.WARNING, "long_id_post")]


def test_h031_a_block_out_of_place_is_a_warning() -> None:
    assert check(pes.aller(pes.depense(), pes.pj())) == [(Level.WARNING, "unexpected_block")]


# Identity


def test_an_unknown_siret_waits_for_its_budget_sheet() -> None:
    assert check(pes.aller(IdColl="21790174400099")) == [(Level.HOLD, "unknown_siret")]


def test_h055_the_siret_of_another_commune_is_refused() -> None:
    with pytest.raises(ForeignBudget, match="21790999900018"):
        check(pes.aller(IdColl="21790999900018"), replace(KNOWN, siret_held_elsewhere=True))


def test_codes_that_differ_from_the_sheet_are_warnings() -> None:
    assert check(pes.aller(CodCol="456", IdPost="079013")) == [
        (Level.WARNING, "other_cod_col"),
        (Level.WARNING, "other_id_post"),
    ]


def test_of_budgets_that_share_a_siret_the_closest_is_compared() -> None:
    water = replace(MELLE, label="Eau", cod_bud="01")

    assert check(pes.aller(CodBud="01"), Circumstances(budgets=(MELLE, water))) == []


# Novelty


def test_h011_the_same_bytes_are_refused_with_the_date_of_the_first() -> None:
    first = replace(EARLIER, sha256=read_aller(pes.aller()).sha256)

    with pytest.raises(AlreadyDeposited, match="5 janvier 2026"):
        check(pes.aller(), replace(KNOWN, earlier=(first,)))


def test_the_same_bytes_from_another_commune_tell_nothing_of_it() -> None:
    first = replace(EARLIER, sha256=read_aller(pes.aller()).sha256, ours=False)

    with pytest.raises(AlreadyDeposited) as refused:
        check(pes.aller(), replace(KNOWN, earlier=(first,)))

    assert "2026" not in str(refused.value)


def test_h012_the_same_name_for_the_same_collectivite_is_refused() -> None:
    with pytest.raises(NameAlreadyUsed, match=r"« PES-2026-001 » .* 5 janvier 2026"):
        check(pes.aller(), replace(KNOWN, earlier=(EARLIER,)))


def test_the_same_name_used_by_another_commune_does_not_tell_when() -> None:
    with pytest.raises(NameAlreadyUsed) as refused:
        check(pes.aller(), replace(KNOWN, earlier=(replace(EARLIER, ours=False),)))

    assert "janvier" not in str(refused.value)


def test_h012_two_samples_that_differ_by_one_byte_share_their_name() -> None:
    first = read_aller(sample("aller-same-content-1.xml"))
    earlier = EarlierFlux(
        first.sha256, first.header.nom_fic, first.header.cod_col, MONDAY, ours=True
    )

    with pytest.raises(NameAlreadyUsed, match="SICOVAL201512104"):
        check(sample("aller-same-content-2.xml"), replace(KNOWN, earlier=(earlier,)))


def test_h013_the_same_name_is_accepted_when_the_syndicat_allows_it() -> None:
    known = replace(KNOWN, earlier=(EARLIER,), name_reuse_allowed=True)

    assert check(pes.aller(), known) == [(Level.INFO, "reused_name")]


def test_h015_the_same_name_for_another_collectivite_is_only_told() -> None:
    known = replace(KNOWN, earlier=(replace(EARLIER, cod_col="456"),))

    assert check(pes.aller(), known) == [(Level.INFO, "reused_name")]


# Signatures

SIGNED = pes.bordereau(signed=True, cumul="100.00")


def test_h048_a_signed_flux_that_is_not_dematerialised_must_be_confirmed() -> None:
    assert check(pes.aller(pes.depense(SIGNED, demat="0"))) == [
        (Level.CONFIRM, "signed_not_dematerialised")
    ]


def test_h048_the_signed_sample_must_be_confirmed() -> None:
    codes = [code for _, code in check(sample("aller-signed-bordereau-xades122.xml"))]

    assert "signed_not_dematerialised" in codes


def test_h049_a_dematerialised_flux_without_signature_must_be_confirmed() -> None:
    data = pes.aller(pes.depense(pes.bordereau(cumul="1"), demat="1"))

    assert check(data) == [(Level.CONFIRM, "unsigned_dematerialised")]


def test_a_signed_dematerialised_flux_has_nothing_to_say() -> None:
    assert check(pes.aller(pes.depense(SIGNED, demat="1"))) == []


def test_a_global_signature_covers_both_domains() -> None:
    blocks = (
        pes.depense(pes.bordereau(cumul="1"), demat="1"),
        pes.recette(pes.bordereau(recette=True, cumul="1"), demat="true"),
        pes.SIGNATURE,
    )

    assert check(pes.aller(*blocks)) == []


def test_a_bordereau_left_unsigned_must_be_confirmed() -> None:
    unsigned = pes.bordereau(number="8", cumul="100.00")
    data = pes.aller(pes.depense(SIGNED, unsigned, demat="1"))

    assert check(data) == [(Level.CONFIRM, "partly_signed")]
    assert sentences(data)[0].startswith("1 bordereau n’est pas signé sur 2")


def test_a_signature_out_of_place_is_refused() -> None:
    with pytest.raises(StraySignature, match="mal placée"):
        check(pes.aller(pes.depense(), pes.SIGNATURE, pes.SIGNATURE))


def test_an_id_given_twice_is_refused_only_when_signed() -> None:
    twins = pes.bordereau(xml_id="B1"), pes.bordereau(number="8", xml_id="B1")

    assert check(pes.aller(pes.depense(*twins))) == [(Level.WARNING, "duplicate_ids")]
    with pytest.raises(AmbiguousIds, match="« B1 »"):
        check(pes.aller(pes.depense(*twins), pes.SIGNATURE))


def test_h053_an_unsigned_ormc_is_accepted() -> None:
    role = pes.bordereau(recette=True, type_code="06")

    assert check(pes.aller(pes.recette(role))) == []


def test_h054_the_acquit_of_a_retour_may_be_deposited() -> None:
    assert check(pes.acquit_retour()) == []


# Amounts


def test_a_total_that_does_not_add_up_is_a_warning() -> None:
    data = pes.aller(pes.depense(pes.bordereau(pes.mandat(pes.line("1234.50")), ht="1234.00")))

    assert check(data) == [(Level.WARNING, "total")]
    assert sentences(data) == [
        "Bordereau de dépense n° 7 de l’exercice 2026 : 1\u202f234,00\u00a0€ HT annoncés, "
        "1\u202f234,50\u00a0€ HT dans les lignes."
    ]


def test_a_cent_of_difference_is_tolerated() -> None:
    assert check(pes.aller(pes.depense(pes.bordereau(pes.mandat(), ht="100.01")))) == []


def test_a_missing_piece_is_a_warning() -> None:
    data = pes.aller(pes.depense(pes.bordereau(count="2")))

    assert check(data) == [(Level.WARNING, "pieces")]
    assert sentences(data)[0].endswith("1 mandat présent alors que l’en-tête en annonce 2.")


def test_an_unreadable_amount_is_a_warning() -> None:
    data = pes.aller(pes.depense(pes.bordereau(pes.mandat(pes.line("12,50")))))

    assert check(data) == [(Level.WARNING, "amounts")]


@pytest.mark.parametrize("cumul", [None, "0", "0.00"])
def test_h050_a_dematerialised_bordereau_without_cumul_is_a_warning(cumul: str | None) -> None:
    signed = pes.bordereau(signed=True, cumul=cumul)

    assert check(pes.aller(pes.depense(signed, demat="1"))) == [(Level.WARNING, "cumul")]


def test_a_dematerialised_role_needs_no_cumul() -> None:
    role = pes.bordereau(recette=True, type_code="06", signed=True)

    assert check(pes.aller(pes.recette(role, demat="1"))) == []


# Attachments


def test_h032_an_attachment_without_mime_type_is_a_warning() -> None:
    assert check(pes.aller(pes.attachments(pes.pj(mime=None)))) == [(Level.WARNING, "untyped_pj")]


def test_h033_an_attachment_that_is_not_gzip_is_a_warning() -> None:
    data = pes.aller(pes.attachments(*(pes.pj(content="JVBERi0=") for _ in range(5))))

    assert check(data) == [(Level.WARNING, "unreadable_pj")]
    assert (
        "Pièces jointes « facture.pdf », « facture.pdf », « facture.pdf » et 2 autres"
        in (sentences(data)[0])
    )


def test_an_attachment_announced_and_absent_is_told() -> None:
    mandat = pes.mandat(references=pes.reference("PJ20269"))

    assert check(pes.aller(pes.depense(pes.bordereau(mandat)))) == [(Level.INFO, "awaited_pj")]


# History


def test_a_bordereau_already_accepted_is_a_warning_with_its_date() -> None:
    accepted = {BordereauKey(Domain.DEPENSE, "2026", "01", "7"): MONDAY}
    known = replace(KNOWN, accepted_bordereaux=accepted)

    assert check(pes.aller(), known) == [(Level.WARNING, "already_accepted")]
    assert "déjà acquitté le 5 janvier 2026" in sentences(pes.aller(), known)[0]


def test_the_same_number_in_another_type_of_bordereau_is_new() -> None:
    accepted = {BordereauKey(Domain.DEPENSE, "2026", "02", "7"): MONDAY}

    assert check(pes.aller(), replace(KNOWN, accepted_bordereaux=accepted)) == []


def test_an_attachment_already_accepted_is_a_warning() -> None:
    known = replace(KNOWN, accepted_attachments={"PJ20261": date(2026, 3, 1)})
    data = pes.aller(pes.attachments(pes.pj()))

    assert check(data, known) == [(Level.WARNING, "already_accepted_pj")]
    assert "1er mars 2026" in sentences(data, known)[0]


def test_the_most_pressing_findings_come_first() -> None:
    unsigned = pes.bordereau(count="2", cumul="1")
    mandat = pes.bordereau(pes.mandat(references=pes.reference("X")), number="8", cumul="1")

    levels = [
        level
        for level, _ in check(
            pes.aller(pes.depense(unsigned, mandat, demat="1"), IdColl="21790174400099")
        )
    ]

    assert levels == [Level.HOLD, Level.CONFIRM, Level.WARNING, Level.INFO]


def test_every_finding_is_a_sentence() -> None:
    data = sample("aller-signed-bordereau-xades122.xml")

    findings: tuple[Finding, ...] = check_deposit(read_aller(data), KNOWN)

    assert findings
    assert all(finding.sentence.endswith(".") for finding in findings)
