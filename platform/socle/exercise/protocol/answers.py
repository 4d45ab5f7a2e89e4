"""The XML the practice préfecture writes about acts, cancellations and envelopes."""

from datetime import date
from typing import Final

from socle.exercise.protocol import actes_xml as xml
from socle.exercise.protocol.acts import Act, ActRefused
from socle.exercise.protocol.classification import Classification
from socle.exercise.protocol.envelopes import EnvelopeRefused, Sender
from socle.exercise.protocol.outcome import MENTION

OFFICE: Final = f"{MENTION} - Sous-préfecture d'exercice"
OFFICE_EMAIL: Final = "ne-pas-repondre@exercice.test"


def acknowledgement(act: Act, *, on: date, classification: Classification) -> bytes:
    """Message 1-2 `ARActe`, received on the day `on` (Paris)."""
    root = xml.new_root("ARActe", IDActe=act.act_id, DateReception=on.isoformat())
    _close_with_act(root, act, classification)
    return xml.serialise(root)


def anomaly(act: Act, refusal: ActRefused, *, on: date, classification: Classification) -> bytes:
    """Message 1-3 `AnomalieActe`."""
    root = xml.new_root("AnomalieActe")
    xml.add(root, "Date", on.isoformat())
    xml.add(root, "Nature", refusal.nature)
    xml.add(root, "Detail", detail_of(refusal))
    _close_with_act(root, act, classification)
    return xml.serialise(root)


def cancellation_acknowledgement(act_id: str, *, on: date) -> bytes:
    """Message 6-2 `ARAnnulation`, received on the day `on` (Paris)."""
    return xml.serialise(xml.new_root("ARAnnulation", IDActe=act_id, DateReception=on.isoformat()))


def envelope_anomaly(refusal: EnvelopeRefused, *, on: date, received: xml.Element | None) -> bytes:
    """`AnomalieEnveloppe`, with the copy of the envelope the schema wants if one could be read."""
    root = xml.new_root("AnomalieEnveloppe")
    xml.add(root, "Date", on.isoformat())
    xml.add(root, "Nature", str(refusal.nature))
    xml.add(root, "Detail", detail_of(refusal))
    if received is not None:
        xml.echo(root, "EnveloppeRecue", received)
    return xml.serialise(root)


def return_envelope(sender: Sender, message_name: str) -> bytes:
    """`EnveloppeMISILLCL`: the office writes to the collectivité and announces one message."""
    root = xml.new_root("EnveloppeMISILLCL")
    emitter = xml.add(root, "Emetteur")
    xml.add(emitter, "IDSousPref", Departement=sender.department, Arrondissement=sender.district)
    referent = xml.add(emitter, "Referent")
    xml.add(referent, "Nom", OFFICE)
    xml.add(referent, "Telephone", "")
    xml.add(referent, "Email", OFFICE_EMAIL)
    form = xml.add(xml.add(root, "FormulairesEnvoyes"), "Formulaire")
    xml.add(form, "NomFichier", message_name)
    xml.add(root, "Destinataire").set(f"{{{xml.INSEE}}}SIREN", sender.siren)
    return xml.serialise(root)


def detail_of(refusal: ActRefused | EnvelopeRefused) -> str:
    """The free text of an anomaly: the ministry's reference if any, the mention, the sentence."""
    return f"{refusal.reference} {MENTION} - {refusal}".lstrip()


def _close_with_act(root: xml.Element, act: Act, classification: Classification) -> None:
    xml.echo(root, "ActeRecu", act.message.root)
    xml.add(root, "ClassificationDateVersionEnCours", classification.day.isoformat())
