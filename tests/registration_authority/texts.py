"""Sentences people write, with and without a secret."""

SECRETS = (
    "code PIN 1234",
    "code pin 4821",
    "PIN: 1234",
    "Le pin est 48 21 33",
    "le PUK vaut 12345678",
    "code secret : 123456",
    "PIN=1234",
    "Code confidentiel n° 9876",
)
INNOCENT = (
    "",
    "12 rue du Pin 79500 Melle",
    "Place des Pins 1234",
    "Saint-Pinien 79500",
    "Copie illisible, fournissez un scan en couleur",
    "Lappin 1234",
    "Code postal 79500",
    "Le code PIN est envoyé par courrier",
)
