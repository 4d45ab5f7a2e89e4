"""Keys nobody should certify, whole: with their private half, so that they sign their request."""

from functools import cache
from math import gcd, isqrt

from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT = 65537


def _is_prime(number: int) -> bool:
    """Miller-Rabin, enough for numbers made here and not against us."""
    if any(number % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, base, odd, twos) for base in (2, 3, 5, 7, 11, 13, 17, 19))


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    x = pow(base, odd, number)
    for _ in range(twos):
        if x in (1, number - 1):
            return True
        x = x * x % number
        if x == number - 1:
            return True
    return False


def _key(p: int, q: int, exponent: int = EXPONENT) -> rsa.RSAPrivateKey:
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(exponent, p * q),
    )
    return numbers.private_key()


@cache
def close_primes() -> rsa.RSAPrivateKey:
    """3072 bits whose primes follow each other: Fermat's method finds them at once."""
    p = _next_prime(3 << 1534 | 1)
    return _key(p, _next_prime(p + 2))


@cache
def roca() -> rsa.RSAPrivateKey:
    """3072 bits as Infineon's library made them: p = k·M + (65537^a mod M), CVE-2017-15361."""
    primorial = _primorial(701)
    p = _infineon(primorial, 1_234_567, 1536)
    return _key(p, _infineon(primorial, 7_654_321, 1536))


def _infineon(primorial: int, power: int, bits: int) -> int:
    rest = pow(EXPONENT, power, primorial)
    factor = (3 << bits - 2) // primorial
    while (
        not _is_prime(factor * primorial + rest)
        or gcd(factor * primorial + rest - 1, EXPONENT) != 1
    ):
        factor += 1
    return factor * primorial + rest


def _primorial(last: int) -> int:
    product = 1
    for number in range(2, last + 1):
        if all(number % divisor for divisor in range(2, isqrt(number) + 1)):
            product *= number
    return product


def _next_prime(start: int) -> int:
    number = start | 1
    while not (_is_prime(number) and gcd(number - 1, EXPONENT) == 1):
        number += 2
    return number
