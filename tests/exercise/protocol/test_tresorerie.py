"""One PES in, one acquit out."""

from datetime import timedelta

import pytest
from lxml import etree

from socle.exercise.protocol.outcome import Outcome
from socle.exercise.protocol.tresorerie import answer_pes
from tests.exercise.builders import AT, Pes
from tests.exercise.reading import sample, schema, values

ACQUIT = "{http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour/v2}PES_ACQUIT"


def ask(content: bytes, *, known: frozenset[str] = frozenset()) -> Outcome:
    return answer_pes("file.xml", content, at=AT, serial=7, known=known.__contains__)


def acquit_of(pes: Pes, *, known: frozenset[str] = frozenset()) -> etree._Element:
    [answer] = ask(pes.xml(), known=known).returns
    root = etree.fromstring(answer.content)
    assert root.tag == ACQUIT
    return root


def states(acquit: etree._Element) -> list[str | None]:
    return values(acquit, "ACQUIT/ElementACQUIT/EtatAck")


def test_a_correct_flux_is_accepted_bordereau_by_bordereau_and_attachment_by_attachment() -> None:
    acquit = acquit_of(Pes(bordereaux={"12": ("A",), "13": ("B",)}, attachments=("PJ1",)))
    assert states(acquit) == ["1", "1", "1"]
    assert values(acquit, "ACQUIT/ElementACQUIT/DomaineAck") == ["5", "5", "4"]
    assert values(acquit, "ACQUIT/ElementACQUIT/NumBord") == ["12", "13"]
    assert values(acquit, "ACQUIT/ElementACQUIT/ExerciceBord") == ["2025", "2025"]
    assert values(acquit, "ACQUIT/ElementACQUIT/IdUnique") == ["PJ1"]


def test_the_acquit_repeats_the_name_and_the_header_on_which_it_is_matched() -> None:
    acquit = acquit_of(Pes())
    assert values(acquit, "Enveloppe/Parametres/NomFic") == ["PESALR2_247900798_250310_001"]
    header = acquit.find("EnTetePES")
    assert header is not None
    assert {one.tag: one.get("V") for one in header} == {
        "DteStr": "2025-03-10",
        "IdPost": "079012",
        "IdColl": "24790079800011",
        "CodCol": "400",
        "CodBud": "01",
        "LibelleColBud": "Communauté de communes",
    }


def test_the_acquit_is_an_iso_8859_1_file_named_after_the_post_and_the_paris_time() -> None:
    [answer] = ask(Pes().xml()).returns
    assert answer.name == "079012_250310103000-ACK-EXERCICE_7.xml"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert "Communauté".encode("iso-8859-1") in answer.content


def test_the_acquit_says_exercice_where_a_person_reads() -> None:
    acquit = acquit_of(Pes(bordereaux={"12": ("[anomalie]",)}))
    assert "EXERCICE" in str(values(acquit, "Enveloppe/Recepteur/Sigle"))
    [label] = values(acquit, ".//LibelleAnoAck")
    assert "EXERCICE" in str(label)


@pytest.mark.parametrize(
    ("pes", "anomaly"),
    [
        (Pes(name="FLUX_[anomalie]"), "ERREUR_AUTRE"),
        (Pes(name=""), "ERREUR_PES_PARAM"),
        (Pes(name="x" * 101), "ERREUR_PES_PARAM"),
        (Pes(post="79012"), "ERREUR_CODIQUE"),
        (Pes(siret="247900798"), "ERREUR_SIRET"),
        (Pes(collectivity="000"), "ERREUR_CODE_COLLECTIVITE_BUDGET"),
        (Pes(budget="AA"), "ERREUR_CODE_COLLECTIVITE_BUDGET"),
        (Pes(encoding="UTF-8"), "ERREUR_ENCODING"),
        (Pes(before_header="<PES_PJ/>"), "ERREUR_SCHEMA_INCOMPLET"),
        (Pes(attachments=("PJ1",), after="<PES_DepenseAller/>"), "ERREUR_SCHEMA_INCOMPLET"),
        (Pes(after="<Inconnu/>"), "ERREUR_SCHEMA_INCOMPLET"),
        (Pes(after="<Bordereau>"), "ERREUR_SCHEMA_INCOMPLET"),
    ],
)
def test_a_faulty_flux_is_refused_as_a_whole(pes: Pes, anomaly: str) -> None:
    acquit = acquit_of(pes)
    assert values(acquit, "ACQUIT/ElementACQUIT/DomaineAck") == ["0"]
    assert states(acquit) == ["0"]
    assert values(acquit, "ACQUIT/ElementACQUIT/Erreur/NumAnoAck") == [anomaly]


@pytest.mark.parametrize("post", ["079012", "0790120", "02A123", "02B1234"])
def test_the_accounting_post_may_have_six_or_seven_characters_and_be_corsican(post: str) -> None:
    assert states(acquit_of(Pes(post=post))) == ["1"]


def test_a_flux_that_is_not_xml_gets_an_acquit_under_the_name_of_its_file() -> None:
    [answer] = ask(b"\x00 not xml").returns
    acquit = etree.fromstring(answer.content)
    assert values(acquit, "Enveloppe/Parametres/NomFic") == ["file.xml"]
    assert states(acquit) == ["0"]


def test_a_dtd_is_refused_even_when_the_rest_is_correct() -> None:
    declaration, body = Pes().xml().split(b"\n", 1)
    bomb = declaration + b'<!DOCTYPE a [<!ENTITY b "c">]>' + body
    [answer] = ask(bomb).returns
    assert states(etree.fromstring(answer.content)) == ["0"]


def test_an_attachment_of_any_size_is_read() -> None:
    big = f"<PES_PJ><PJ><Contenu><Fichier>{'A' * 11_000_000}</Fichier></Contenu></PJ></PES_PJ>"
    assert states(acquit_of(Pes(after=big))) == ["1"]


def test_a_marked_piece_refuses_its_bordereau_only() -> None:
    acquit = acquit_of(Pes(bordereaux={"12": ("A", "B [Anomalie]"), "13": ("C",)}))
    assert states(acquit) == ["0", "1"]
    assert values(acquit, "ACQUIT/ElementACQUIT/DetailPiece/NumPiece") == ["832"]
    assert values(acquit, "ACQUIT/ElementACQUIT/DetailPiece/Erreur/NumAnoAck") == ["ERREUR_AUTRE"]


def test_a_marked_line_refuses_its_bordereau_at_the_depth_of_the_line() -> None:
    acquit = acquit_of(Pes(bordereaux={"12": ("A [anomalie ligne]",)}))
    assert states(acquit) == ["0"]
    assert values(acquit, ".//DetailPiece/DetailLigne/NumLigne") == ["1"]
    assert values(acquit, ".//DetailPiece/DetailLigne/Erreur/NumAnoAck") == ["ERREUR_AUTRE"]
    assert values(acquit, ".//DetailPiece/Erreur/NumAnoAck") == []


def test_a_revenue_bordereau_is_marked_by_its_own_object() -> None:
    revenue = (
        '<PES_RecetteAller><Bordereau><BlocBordereau><Exer V="2025"/><IdBord V="4"/>'
        '<TypBord V="01"/><Objet V="Cantine [anomalie]"/></BlocBordereau><Piece><BlocPiece>'
        '<IdPce V="1"/><ObjPce V="Cantine"/></BlocPiece></Piece></Bordereau></PES_RecetteAller>'
    )
    acquit = acquit_of(Pes(bordereaux={}, after=revenue))
    assert values(acquit, "ACQUIT/ElementACQUIT/DomaineAck") == ["6"]
    assert values(acquit, "ACQUIT/ElementACQUIT/Erreur/NumAnoAck") == ["ERREUR_AUTRE"]


@pytest.mark.parametrize("number", ["0", "12345678", "A", ""])
def test_a_bordereau_without_a_valid_number_is_refused(number: str) -> None:
    assert states(acquit_of(Pes(bordereaux={number: ("A",)}))) == ["0"]


def test_a_bordereau_is_taken_in_once() -> None:
    known = frozenset(ask(Pes().xml()).facts)
    acquit = acquit_of(Pes(name="OTHER"), known=known)
    assert values(acquit, ".//NumAnoAck") == ["ERREUR_DOUBLON_BORDEREAU"]


def test_a_bordereau_of_another_budget_is_another_bordereau() -> None:
    known = frozenset(ask(Pes().xml()).facts)
    assert states(acquit_of(Pes(budget="02"), known=known)) == ["1"]


def test_an_attachment_already_known_is_refused_alone_with_its_real_code() -> None:
    known = frozenset(ask(Pes(bordereaux={"11": ("A",)}, attachments=("PJ1",)).xml()).facts)
    acquit = acquit_of(Pes(attachments=("PJ1", "PJ2")), known=known)
    assert states(acquit) == ["1", "0", "1"]
    assert str(values(acquit, ".//LibelleAnoAck")[0]).startswith("1984 - ")


def test_what_was_refused_may_be_sent_again() -> None:
    outcome = ask(Pes(bordereaux={"12": ("[anomalie]",)}).xml())
    assert outcome.facts == ()


def test_an_empty_flux_is_never_answered() -> None:
    assert ask(Pes(bordereaux={}).xml()) == Outcome()


def test_an_acknowledgement_of_a_return_is_never_answered() -> None:
    assert ask(b"<n:PES_ACQUIT_RETOUR xmlns:n='urn:x'/>") == Outcome()


def test_the_trainer_can_ask_for_slowness_or_silence_in_an_object() -> None:
    [answer] = ask(Pes(bordereaux={"12": ("[lent]",)}).xml()).returns
    assert answer.delay == timedelta(seconds=60)
    silent = ask(Pes(bordereaux={"12": ("[silence]",)}).xml())
    assert silent.returns == ()
    assert len(silent.facts) == 1


@pytest.mark.parametrize(
    "pes",
    [
        Pes(attachments=("PJ1",)),
        Pes(name="FLUX_[anomalie]"),
        Pes(bordereaux={"12": ("A", "[anomalie]", "[anomalie ligne]")}),
    ],
    ids=["ok", "technical", "pieces"],
)
@pytest.mark.parametrize("version", ["v5.12", "v5.17"])
def test_acquits_are_valid_for_the_official_schema(pes: Pes, version: str) -> None:
    official = schema(f"pes/{version}/PES_V2/Rev0/PES_V2_Acquit_Autonome_V2.xsd")
    assert official.validate(acquit_of(pes)), official.error_log


def paths(root: etree._Element) -> set[str]:
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    return {
        "/".join(str(up.tag) for up in (*reversed([*one.iterancestors()]), one)) for one in elements
    }


@pytest.mark.parametrize(
    ("name", "pes"),
    [
        ("acquit-ok.xml", Pes(attachments=("PJ1",))),
        ("acquit-ko-pieces.xml", Pes(bordereaux={"1": ("[anomalie]",)}, attachments=("PJ1",))),
        ("acquit-ko-lines.xml", Pes(bordereaux={"1": ("[anomalie ligne]",)}, attachments=("P",))),
    ],
)
def test_acquits_have_the_elements_of_real_ones_at_the_same_places(name: str, pes: Pes) -> None:
    real = etree.fromstring(sample(f"pes/{name}"))
    ours = acquit_of(pes)
    receiver = {f"{ACQUIT}/Enveloppe/Recepteur/Adresse"}  # optional, absent from one sample
    assert paths(ours) | receiver == paths(real) | receiver


def test_a_real_flux_is_accepted() -> None:
    [answer] = ask(sample("pes/aller-accents-valid.xml")).returns
    assert set(states(etree.fromstring(answer.content))) == {"1"}


def test_a_real_flux_with_a_misplaced_attachment_is_refused() -> None:
    [answer] = ask(sample("pes/aller-stray-pj.xml")).returns
    assert states(etree.fromstring(answer.content)) == ["0"]
