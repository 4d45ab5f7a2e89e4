"""Which public keys deserve a certificate.

RSA of at least 2048 bits, 3072 for a use beyond 2030, public exponent above 2^16 (RGS annexe B1,
v2.03); the NIST curves P-256 and P-384. The tests on the modulus catch the generators known to be
broken: ROCA (CVE-2017-15361), primes too close to each other, small factors.
"""

import hashlib
from datetime import UTC, datetime
from functools import cache
from math import gcd, isqrt, prod
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from socle.core.refusals import Refusal

SHORTEST_RSA: Final = 2048
SHORTEST_RSA_BEYOND_2030: Final = 3072
END_OF_2030: Final = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)
SMALLEST_EXPONENT: Final = 2**16 + 1
FERMAT_ROUNDS: Final = 110  # as Boulder does
CURVES: Final = ("secp256r1", "secp384r1")
_ROCA_PRIMES: Final = 39  # the first ones: a sound key passes for weak once in 2^27
_SIEVE: Final = 752


class WeakKey(Refusal):
    """The public key could be broken, or is of a kind nobody expects here."""

    code = "ra.weak_key"


def public_key_digest(key: CertificatePublicKeyTypes) -> str:
    """SHA-256 (hexadecimal) of the SubjectPublicKeyInfo: the same key always has the same."""
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()


def check_key(
    key: object, *, min_rsa_bits: int = SHORTEST_RSA, until: datetime | None = None
) -> None:
    """Refuse a weak key; `min_rsa_bits` comes from the offer, `until` is the end of use."""
    if isinstance(key, rsa.RSAPublicKey):
        _check_rsa(key.public_numbers(), _shortest(min_rsa_bits, until))
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise WeakKey(
            "La clé n’est ni une clé RSA ni une clé P-256 ou P-384 : générez-en une autre avec le "
            "logiciel du support, en RSA 3072.",
            code="ra.key_kind",
        )


def _shortest(min_rsa_bits: int, until: datetime | None) -> int:
    late = until is not None and until > END_OF_2030
    return max(min_rsa_bits, SHORTEST_RSA, SHORTEST_RSA_BEYOND_2030 if late else 0)


def _check_rsa(numbers: rsa.RSAPublicNumbers, shortest: int) -> None:
    size = numbers.n.bit_length()
    if size < shortest:
        raise WeakKey(
            f"La clé RSA compte {size} bits, il en faut au moins {shortest} : générez une clé "
            "plus longue avec le logiciel du support.",
            code="ra.key_too_short",
        )
    if numbers.e < SMALLEST_EXPONENT:
        raise WeakKey(
            f"L’exposant public de la clé est {numbers.e}, il doit être d’au moins "
            f"{SMALLEST_EXPONENT} : générez une autre clé avec les réglages d’usine du support.",
            code="ra.key_exponent",
        )
    fault = fault_of_modulus(numbers.n)
    if fault:
        raise WeakKey(
            f"La clé est cassable ({fault}) : ce support ne doit plus servir, prenez-en un autre "
            "et prévenez l’autorité de certification.",
            code="ra.key_broken",
        )


def fault_of_modulus(modulus: int) -> str:
    """What makes an RSA modulus breakable, in French, or an empty string."""
    if gcd(modulus, _small_product()) != 1:
        return "un petit facteur divise son module"
    if _is_roca(modulus):
        return "défaut ROCA, CVE-2017-15361"
    if _has_close_primes(modulus):
        return "ses deux nombres premiers sont trop proches"
    return ""


def _has_close_primes(modulus: int) -> bool:
    """Fermat's factorisation, given up after a few rounds.

    A root is only drawn of what may be a square modulo 64 and modulo 3·5·7·11·13: one in sixty.
    """
    root = isqrt(modulus)
    start = root if root * root == modulus else root + 1
    first, second = _squares(64), _squares(15015)
    start_64, start_15015 = start % 64, start % 15015
    left_64, left_15015 = modulus % 64, modulus % 15015
    return any(
        isqrt(rest) ** 2 == rest
        for n in range(FERMAT_ROUNDS)
        if ((start_64 + n) ** 2 - left_64) % 64 in first
        and ((start_15015 + n) ** 2 - left_15015) % 15015 in second
        for rest in ((start + n) ** 2 - modulus,)
    )


@cache
def _squares(modulus: int) -> frozenset[int]:
    return frozenset(number * number % modulus for number in range(modulus))


def _is_roca(modulus: int) -> bool:
    """Infineon's primes are powers of 65537 modulo a primorial, and so is their product."""
    return all(modulus % prime in powers for prime, powers in _roca_marks())


@cache
def _roca_marks() -> tuple[tuple[int, frozenset[int]], ...]:
    odd = _primes()[1:_ROCA_PRIMES]
    return tuple((p, frozenset(pow(65537, i, p) for i in range(p))) for p in odd)


@cache
def _small_product() -> int:
    return prod(_primes())


@cache
def _primes() -> tuple[int, ...]:
    return tuple(n for n in range(2, _SIEVE) if all(n % d for d in range(2, isqrt(n) + 1)))
