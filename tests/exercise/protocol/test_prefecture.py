"""One archive in, mails out."""

from datetime import timedelta

import pytest
from lxml import etree

from socle.exercise.protocol.outcome import Outcome
from socle.exercise.protocol.prefecture import answer_archive
from tests.exercise.builders import (
    ACTES,
    AT,
    DECLARATION,
    INSEE,
    PDF,
    PNG,
    XMLNS,
    Act,
    Parcel,
    cancellation_of,
    classification_request,
    parcel_of,
    tar_gz,
)
from tests.exercise.reading import attachments, mail_of, only, sample, schema

A = f"{{{ACTES}}}"


def ask(parcel: Parcel, *, known: frozenset[str] = frozenset(), serial: int = 7) -> Outcome:
    return answer_archive(
        parcel.name, parcel.archive(), at=AT, serial=serial, known=known.__contains__
    )


def facts_of(*acts: Act) -> frozenset[str]:
    return frozenset(fact for act in acts for fact in ask(parcel_of(act)).facts)


def anomaly_of(act: Act, *, known: frozenset[str] = frozenset()) -> etree._Element:
    [answer] = ask(parcel_of(act), known=known).returns
    return only(answer.content, "AnomalieActe")


def refusal_of(parcel: Parcel, *, known: frozenset[str] = frozenset()) -> etree._Element:
    [answer] = ask(parcel, known=known).returns
    [root] = [etree.fromstring(one) for one in attachments(answer.content).values()]
    assert root.tag == f"{A}AnomalieEnveloppe"
    return root


# The acknowledgement


def test_a_correct_act_is_acknowledged_with_the_identifier_of_the_norm() -> None:
    [answer] = ask(parcel_of(Act())).returns
    receipt = only(answer.content, "ARActe")
    assert receipt.get(f"{A}IDActe") == "079-247900798-20250303-2025_017-DE"
    assert receipt.get(f"{A}DateReception") == "2025-03-10"
    assert receipt.findtext(f"{A}ClassificationDateVersionEnCours") == "2025-01-01"


def test_the_day_of_reception_is_that_of_paris() -> None:
    late = AT.replace(hour=23, minute=30)  # 0 h 30 the next day in Paris
    parcel = parcel_of(Act())
    [answer] = answer_archive(
        parcel.name, parcel.archive(), at=late, serial=1, known=lambda _: False
    ).returns
    assert only(answer.content, "ARActe").get(f"{A}DateReception") == "2025-03-11"


def test_the_acknowledgement_repeats_the_act_as_it_was_sent() -> None:
    act = Act(subject="Élection &amp; v&#339;ux d'été")
    [answer] = ask(parcel_of(act)).returns
    echo = only(answer.content, "ARActe").find(f"{A}ActeRecu")
    assert echo is not None
    assert echo.findtext(f"{A}Objet") == "Élection & vœux d'été"
    assert echo.get(f"{A}NumeroInterne") == "2025_017"
    assert echo.findtext(f"{A}Document/{A}NomFichier") == act.document


def test_a_return_holds_the_envelope_then_the_message_under_the_names_of_the_norm() -> None:
    [answer] = ask(parcel_of(Act())).returns
    assert list(attachments(answer.content)) == [
        "EACT--SPREF0792-247900798-20250310-7.xml",
        "079-247900798-20250303-2025_017-DE-1-2_7.xml",
    ]


def test_the_return_envelope_names_the_office_the_message_and_the_collectivite() -> None:
    [answer] = ask(parcel_of(Act())).returns
    envelope = only(answer.content, "EnveloppeMISILLCL")
    office = envelope.find(f"{A}Emetteur/{A}IDSousPref")
    assert office is not None
    assert (office.get(f"{A}Departement"), office.get(f"{A}Arrondissement")) == ("079", "2")
    form = envelope.findtext(f"{A}FormulairesEnvoyes/{A}Formulaire/{A}NomFichier")
    assert form == "079-247900798-20250303-2025_017-DE-1-2_7.xml"
    receiver = envelope.find(f"{A}Destinataire")
    assert receiver is not None
    assert receiver.get(f"{{{INSEE}}}SIREN") == "247900798"


def test_a_return_is_a_mail_to_the_return_addresses_with_a_page_for_people() -> None:
    addresses = ("retour-actes@tdt.example.fr", "agent@commune.fr")
    [answer] = ask(parcel_of(Act(), addresses=addresses)).returns
    mail = mail_of(answer.content)
    assert mail.get_content_type() == "multipart/mixed"
    assert mail["To"] == "retour-actes@tdt.example.fr, agent@commune.fr"
    page = mail.get_body(("html",))
    assert page is not None
    assert "079-247900798-20250303-2025_017-DE" in page.get_content()


def test_the_object_of_an_act_cannot_write_html_in_the_mail() -> None:
    [answer] = ask(parcel_of(Act(subject="&lt;script&gt;"))).returns
    page = mail_of(answer.content).get_body(("html",))
    assert page is not None
    assert "<script>" not in page.get_content()


def test_everything_a_person_may_read_says_exercice() -> None:
    [answer] = ask(parcel_of(Act())).returns
    mail = mail_of(answer.content)
    page = mail.get_body(("html",))
    assert page is not None
    read = [mail["From"], mail["Subject"], page.get_content()]
    read += [one.decode("iso-8859-1") for one in attachments(answer.content).values()]
    assert [text for text in read if "EXERCICE" not in text] == []


def test_messages_are_written_in_iso_8859_1() -> None:
    [answer] = ask(parcel_of(Act())).returns
    message = attachments(answer.content)["079-247900798-20250303-2025_017-DE-1-2_7.xml"]
    assert message.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert "Règlement".encode("iso-8859-1") in message


def test_two_acts_in_one_envelope_get_two_mails() -> None:
    outcome = ask(parcel_of(Act(number="1"), Act(number="2")))
    ids = [only(one.content, "ARActe").get(f"{A}IDActe") for one in outcome.returns]
    assert ids == ["079-247900798-20250303-1-DE", "079-247900798-20250303-2-DE"]
    assert len({name for one in outcome.returns for name in attachments(one.content)}) == 4


@pytest.mark.parametrize(
    "act",
    [
        Act(annexes=(("21_RP", PNG), ("99_SE", PNG))),
        Act(nature=3, abbreviation="AI", piece_type="99_AI", matter=(4, 2)),
        Act(
            nature=5,
            abbreviation="BF",
            matter=(7, 1),
            piece_type="99_BU",
            extension="xml",
            pdf=b"<?xml version='1.0'?><DocumentBudgetaire/>",
        ),
        Act(matter=(7, 10)),
        Act(number="A", day="2025-03-10"),
        Act(subject="x" * 500),
    ],
    ids=["annexes", "individual", "budget", "two-digit-matter", "today", "longest-object"],
)
def test_acts_at_the_edge_of_the_rules_are_acknowledged(act: Act) -> None:
    [answer] = ask(parcel_of(act)).returns
    assert only(answer.content, "ARActe").get(f"{A}IDActe") == act.act_id


def test_the_envelope_of_another_operator_with_other_prefixes_is_understood() -> None:
    act = Act()
    parcel = parcel_of(act)
    message = parcel.messages[0]
    parcel.files[message] = (
        act.xml().replace(b"actes:", b"ns1:").replace(b"xmlns:actes", b"xmlns:ns1")
    )
    [answer] = ask(parcel).returns
    content = attachments(answer.content)["079-247900798-20250303-2025_017-DE-1-2_7.xml"]
    assert b"<actes:ActeRecu " in content
    assert b"ns1" not in content


# Anomalies on an act


@pytest.mark.parametrize(
    ("act", "nature", "words"),
    [
        (Act(classification_day="2019-03-01"), "002", "ODT-VERIF-01"),
        (Act(subject="Vente [Anomalie]"), "042", "[anomalie]"),
        (Act(paper=""), "901", "ordre de la norme"),
        (Act(declared_annexes=1), "901", "annexes"),
        (Act(stem="079-247900798-20250304-2025_017-DE-1-1"), "902", "même date"),
        (Act(stem="079-247900798-20250303-2025_018-DE-1-1"), "902", "même numéro"),
        (Act(abbreviation="AR"), "902", "même nature"),
        (Act(subject=""), "903", "objet"),
        (Act(subject="x" * 501), "903", "500"),
        (Act(day="2025-03-11"), "903", "avenir"),
        (Act(day="2025-02-30"), "903", "2025-02-30"),
        (Act(number="A-B", stem="079-247900798-20250303-AB-DE-1-1"), "903", "A-B"),
        (Act(nature=7), "903", "nature"),
        (Act(matter=(5, 99)), "904", "5.99"),
        (Act(matter=(5, 0)), "904", "5.0"),
        (Act(piece_type="99_AI"), "905", "99_AI"),
        (Act(pdf=b""), "905", "vide"),
        (Act(pdf=b"Word"), "905", "format"),
        (Act(pdf=PDF[:20]), "905", "incomplet"),
        (Act(pdf=PDF.replace(b"<<>>", b"<</Encrypt 2 0 R>>")), "905", "verrouillé"),
        (Act(pdf=PNG, extension="png"), "905", "format"),
        (Act(extension="xml", pdf=b"<a/>"), "905", "format"),
        (Act(annexes=(("99_SE", PDF),)), "905", "extension"),
    ],
)
def test_a_faulty_act_gets_an_anomaly_that_says_what_is_wrong(
    act: Act, nature: str, words: str
) -> None:
    anomaly = anomaly_of(act)
    assert anomaly.findtext(f"{A}Nature") == nature
    detail = anomaly.findtext(f"{A}Detail", "")
    assert words in detail
    assert "EXERCICE" in detail


def test_the_classification_anomaly_opens_with_the_reference_of_the_ministry() -> None:
    detail = anomaly_of(Act(classification_day="2019-03-01")).findtext(f"{A}Detail", "")
    assert detail.startswith("ODT-VERIF-01 ")


def test_an_unqualified_attribute_is_an_anomaly() -> None:
    act = Act()
    parcel = parcel_of(act)
    parcel.files[parcel.messages[0]] = act.xml().replace(b"actes:Date=", b"Date=")
    [answer] = ask(parcel).returns
    assert only(answer.content, "AnomalieActe").findtext(f"{A}Nature") == "901"


def test_a_missing_pdf_is_an_anomaly() -> None:
    act = Act()
    parcel = parcel_of(act)
    del parcel.files[act.document]
    [answer] = ask(parcel).returns
    anomaly = only(answer.content, "AnomalieActe")
    assert act.document in anomaly.findtext(f"{A}Detail", "")


def test_an_anomaly_has_no_identifier_and_repeats_the_act() -> None:
    anomaly = anomaly_of(Act(subject="[anomalie]"))
    assert anomaly.get(f"{A}IDActe") is None
    echo = anomaly.find(f"{A}ActeRecu")
    assert echo is not None
    assert echo.get(f"{A}NumeroInterne") == "2025_017"


def test_a_number_serves_once_for_a_year_and_a_nature() -> None:
    known = facts_of(Act())
    assert anomaly_of(Act(day="2025-01-15"), known=known).findtext(f"{A}Nature") == "906"


@pytest.mark.parametrize(
    "other",
    [
        Act(day="2024-12-31"),
        Act(nature=2, abbreviation="AR", piece_type="99_AR"),
        Act(number="2025_018"),
    ],
    ids=["year", "nature", "number"],
)
def test_a_number_may_serve_again_for_another_year_or_nature(other: Act) -> None:
    [answer] = ask(parcel_of(other), known=facts_of(Act())).returns
    assert only(answer.content, "ARActe") is not None


def test_two_acts_of_one_envelope_cannot_share_a_number() -> None:
    first, second = ask(parcel_of(Act(), Act(day="2025-03-04"))).returns
    assert only(first.content, "ARActe") is not None
    assert only(second.content, "AnomalieActe").findtext(f"{A}Nature") == "906"


def test_a_refused_act_leaves_its_number_free() -> None:
    assert ask(parcel_of(Act(subject="[anomalie]"))).facts == ()


# Anomalies on the envelope


def test_an_envelope_anomaly_is_named_after_the_envelope_and_travels_alone() -> None:
    [answer] = ask(parcel_of(Act(subject="Vente [anomalie enveloppe]"))).returns
    assert list(attachments(answer.content)) == ["ANO_EACT--247900798--20250310-1.xml"]


def test_an_envelope_anomaly_repeats_the_envelope() -> None:
    refusal = refusal_of(parcel_of(Act(subject="[anomalie enveloppe]")))
    identity = refusal.find(f"{A}EnveloppeRecue/{A}Emetteur/{A}IDCL")
    assert identity is not None
    assert identity.get(f"{{{INSEE}}}SIREN") == "247900798"
    assert "EXERCICE" in refusal.findtext(f"{A}Detail", "")


def test_one_faulty_message_refuses_the_whole_envelope() -> None:
    parcel = parcel_of(Act(number="1"), Act(number="2", subject="[anomalie enveloppe]"))
    outcome = ask(parcel)
    assert len(outcome.returns) == 1
    assert outcome.facts == ()


def with_file(name: str, content: bytes) -> Parcel:
    parcel = parcel_of(Act())
    parcel.files[name] = content
    return parcel


def announcing(name: str, content: bytes | None) -> Parcel:
    files = {} if content is None else {name: content}
    return Parcel(files=files, messages=(name,))


@pytest.mark.parametrize(
    ("parcel", "nature", "words"),
    [
        (parcel_of(Act(), name_siren="200069755"), "5", "PREF-VERIF-02"),
        (parcel_of(Act(siren="200069755")), "5", "pas de la collectivité"),
        (parcel_of(Act(department="086")), "5", "pas de la collectivité"),
        (parcel_of(Act(), nature="4"), "5", "IDCL"),
        (parcel_of(Act(), addresses=()), "100", "adresse de retour"),
        (parcel_of(Act(), addresses=("a@b.solutions",)), "100", "adresse de retour"),
        (parcel_of(Act(), envelope_body="<actes:Emetteur/>"), "100", "ordre"),
        (with_file("stranger.pdf", PDF), "100", "stranger.pdf"),
        (announcing("079-247900798-20250303-1-DE-1-1_0.xml", None), "100", "pas dans l'archive"),
        (announcing("079-247900798-20250303-1-DE-DE_0.xml", b"<a/>"), "999", "ODT-VERIF-17"),
        (announcing("079-247900798-20250303-1-DE-1-2_0.xml", b"<a/>"), "999", "ODT-VERIF-17"),
        (announcing("079-247900798-20250303-1-DE-1-1_0.xml", b"<a/>"), "999", "racine"),
        (announcing("079-247900798-20250303-1-DE-1-1_0.xml", b"<a"), "100", "bien formé"),
        (Parcel(), "100", "au moins un formulaire"),
    ],
)
def test_a_faulty_envelope_is_refused_with_the_reason(
    parcel: Parcel, nature: str, words: str
) -> None:
    refusal = refusal_of(parcel)
    assert refusal.findtext(f"{A}Nature") == nature
    assert words in refusal.findtext(f"{A}Detail", "")


def test_a_message_with_a_dtd_is_refused() -> None:
    act = Act()
    parcel = parcel_of(act)
    bomb = f'{DECLARATION}<!DOCTYPE a [<!ENTITY b "c">]><actes:Acte {XMLNS}>&b;</actes:Acte>'
    parcel.files[parcel.messages[0]] = bomb.encode()
    assert "DTD" in refusal_of(parcel).findtext(f"{A}Detail", "")


def test_an_archive_named_unlike_its_envelope_is_refused() -> None:
    parcel = parcel_of(Act())
    name = "SOC-EACT--247900798--20250310-2.tar.gz"
    outcome = answer_archive(name, parcel.archive(), at=AT, serial=1, known=lambda _: False)
    [answer] = outcome.returns
    assert list(attachments(answer.content)) == ["ANO_EACT--247900798--20250310-2.xml"]


@pytest.mark.parametrize("content", [b"not a tar", b"", tar_gz({"../EACT.xml": b"<a/>"})])
def test_an_unreadable_archive_is_refused_under_the_name_it_came_with(content: bytes) -> None:
    outcome = answer_archive(Parcel().name, content, at=AT, serial=1, known=lambda _: False)
    [answer] = outcome.returns
    [(name, anomaly)] = attachments(answer.content).items()
    assert name == "ANO_EACT--247900798--20250310-1.xml"
    assert etree.fromstring(anomaly).find(f"{A}EnveloppeRecue") is None


# Cancellations


def test_an_acknowledged_act_can_be_cancelled() -> None:
    [answer] = ask(cancellation_of(Act()), known=facts_of(Act())).returns
    receipt = only(answer.content, "ARAnnulation")
    assert receipt.get(f"{A}IDActe") == Act().act_id
    assert receipt.get(f"{A}DateReception") == "2025-03-10"


def test_an_act_never_received_cannot_be_cancelled() -> None:
    refusal = refusal_of(cancellation_of(Act()))
    assert "jamais" in refusal.findtext(f"{A}Detail", "")


def test_an_act_is_cancelled_once() -> None:
    known = facts_of(Act())
    after = known | frozenset(ask(cancellation_of(Act()), known=known).facts)
    refusal = refusal_of(cancellation_of(Act()), known=after)
    assert "déjà annulé" in refusal.findtext(f"{A}Detail", "")


def test_a_cancellation_must_be_named_after_its_act() -> None:
    parcel = cancellation_of(Act())
    other = Act(number="other")
    [(name, _)] = parcel.files.items()
    parcel.files[name] = cancellation_of(other).files.popitem()[1]
    refusal = refusal_of(parcel, known=facts_of(Act(), other))
    assert other.act_id in refusal.findtext(f"{A}Detail", "")


def test_a_cancelled_act_keeps_its_number() -> None:
    known = facts_of(Act())
    after = known | frozenset(ask(cancellation_of(Act()), known=known).facts)
    assert anomaly_of(Act(), known=after).findtext(f"{A}Nature") == "906"


# Classification


@pytest.mark.parametrize("day", ["2001-01-01", "2030-01-01", ""])
def test_another_classification_is_answered_by_the_whole_current_one(day: str) -> None:
    [answer] = ask(classification_request(day)).returns
    returned = only(answer.content, "RetourClassification")
    assert returned.findtext(f"{A}DateClassification") == "2025-01-01"
    codes = [one.get(f"{A}CodeNatureActe") for one in returned.iter(f"{A}NatureActe")]
    assert codes == ["1", "2", "3", "4", "5", "6"]
    assert len(list(returned.iter(f"{A}Matiere1"))) == 9
    assert len(list(returned.iter(f"{A}Matiere2"))) == 57


def test_the_current_classification_is_answered_by_no_change() -> None:
    [answer] = ask(classification_request("2025-01-01")).returns
    assert list(attachments(answer.content))[1] == "079-247900798----7-3_7.xml"
    returned = only(answer.content, "ReponseClassificationSansChangement")
    assert returned.findtext(f"{A}DateClassification") == "2025-01-01"


def test_every_nature_offers_its_generic_type_of_piece() -> None:
    [answer] = ask(classification_request("2001-01-01")).returns
    natures = only(answer.content, "RetourClassification").iter(f"{A}NatureActe")
    first = [one[0].get(f"{A}CodeTypePJ") for one in natures]
    assert first == ["99_DE", "99_AR", "99_AI", "99_DC", "99_BU", "99_AU"]


# Markers


def test_a_slow_office_answers_after_a_minute() -> None:
    [answer] = ask(parcel_of(Act(subject="Vente [LENT]"))).returns
    assert answer.delay == timedelta(seconds=60)


def test_a_silent_office_never_answers_but_keeps_the_act() -> None:
    outcome = ask(parcel_of(Act(subject="[silence]")))
    assert outcome.returns == ()
    assert len(outcome.facts) == 2


# Against the official schema and real files


@pytest.mark.parametrize(
    "parcel",
    [
        parcel_of(Act(annexes=(("21_RP", PNG),))),
        parcel_of(Act(subject="[anomalie]")),
        parcel_of(Act(classification_day="2019-03-01")),
        parcel_of(Act(subject="[anomalie enveloppe]")),
        parcel_of(Act(), name_siren="200069755"),
        cancellation_of(Act()),
        classification_request("2001-01-01"),
        classification_request("2025-01-01"),
    ],
    ids=["ar", "anomaly", "outdated", "ano", "siren", "cancellation", "7-2", "7-3"],
)
def test_everything_returned_is_valid_for_the_official_schema(parcel: Parcel) -> None:
    official = schema("actes/actesv1_1.xsd")
    known = facts_of(Act()) if parcel.files and "-6-1_" in parcel.messages[0] else frozenset()
    [answer] = ask(parcel, known=known).returns
    for name, content in attachments(answer.content).items():
        assert official.validate(etree.fromstring(content)), (name, official.error_log)


def outline(root: etree._Element) -> list[str]:
    return [str(one.tag) for one in root.iter() if isinstance(one.tag, str)]


def test_an_acknowledgement_has_the_shape_of_a_real_one() -> None:
    real = etree.fromstring(sample("actes/034-491011698-20171207-CL20171227_06-DE-1-2.xml"))
    [answer] = ask(parcel_of(Act())).returns
    ours = only(answer.content, "ARActe")
    assert outline(ours) == outline(real)
    assert set(ours.attrib) >= set(real.attrib)


def test_a_cancellation_receipt_has_the_shape_of_a_real_one() -> None:
    real = etree.fromstring(sample("actes/044-214400152-20181106-TEST_DGCL_4-DE-6-2_10.xml"))
    [answer] = ask(cancellation_of(Act()), known=facts_of(Act())).returns
    ours = only(answer.content, "ARAnnulation")
    assert outline(ours) == outline(real)
    assert set(ours.attrib) == set(real.attrib)


def test_a_return_envelope_has_the_shape_of_a_real_one() -> None:
    real = etree.fromstring(sample("actes/EACT--SPREF0441-214400152-20181012-9.xml"))
    [answer] = ask(parcel_of(Act())).returns
    assert outline(only(answer.content, "EnveloppeMISILLCL")) == outline(real)


def test_a_real_archive_of_another_operator_is_read_and_its_old_classification_told() -> None:
    name = "SIC-EACT--210600730--20180115-1.tar.gz"
    content = sample(f"actes/{name}")
    [answer] = answer_archive(name, content, at=AT, serial=1, known=lambda _: False).returns
    anomaly = only(answer.content, "AnomalieActe")
    assert anomaly.findtext(f"{A}Detail", "").startswith("ODT-VERIF-01")


def test_the_answer_depends_on_nothing_but_what_is_given() -> None:
    parcel = parcel_of(Act())
    first, second = (attachments(ask(parcel).returns[0].content) for _ in range(2))
    assert first == second
