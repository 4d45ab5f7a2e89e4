"""Merkle tree hashing of RFC 6962 §2.1 (SHA-256, leaves prefixed 0x00, nodes 0x01). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte hash of one leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of the node above `left` and `right`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """The right edge of a tree: all one needs to grow it and to know its root.

    `peaks` are the roots of the perfect subtrees that `size` leaves divide into, widest first: one
    for each bit set in `size`, so a million leaves are carried by at most twenty hashes.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks cannot carry {self.size} leaves")
        if any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise ValueError("a peak is not a SHA-256 hash")

    def append(self, leaf: bytes) -> Frontier:
        """Return the frontier after one more leaf hash."""
        peaks, width = [*self.peaks, leaf], self.size
        while width & 1:
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
            width >>= 1
        return Frontier(self.size + 1, tuple(peaks))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier after all these leaf hashes."""
        frontier = self
        for leaf in leaves:
            frontier = frontier.append(leaf)
        return frontier

    def root(self) -> bytes:
        """Return the root of the tree, `EMPTY_ROOT` when it has no leaf."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the peaks joined, 32 bytes each; the size is stored beside them."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read back `to_bytes`. ValueError when `data` cannot belong to `size` leaves."""
        cut = range(0, len(data), HASH_SIZE)
        return cls(size, tuple(bytes(data[start : start + HASH_SIZE]) for start in cut))


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes."""
    return Frontier().extend(leaves).root()


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of leaf `index` (from 0) in the tree of `leaves` (RFC 6962 §2.1.1)."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root(leaves[split:])]
    return [*inclusion_proof(index - split, leaves[split:]), root(leaves[:split])]


def consistency_proof(old_size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof that the tree of the first `old_size` leaves is a prefix (RFC 6962 §2.1.2).

    The proof is empty when the sizes are equal, and when `old_size` is 0.
    """
    if not 0 <= old_size <= len(leaves):
        raise ValueError(f"no tree of {old_size} leaves among {len(leaves)}")
    return _subproof(old_size, leaves, known=True) if old_size else []


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether `proof` leads from this leaf to this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the larger tree only appended to the smaller one (RFC 9162 §2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == size:
        return not proof and old_root == root
    steps = [*([old_root] if old_size.bit_count() == 1 else []), *proof]
    return bool(steps) and _both_roots(old_size, size, steps) == (old_root, root)


def _both_roots(old_size: int, size: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _subproof(old_size: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if known else [root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(old_size, leaves[:split], known=known), root(leaves[split:])]
    return [*_subproof(old_size - split, leaves[split:], known=False), root(leaves[:split])]


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1
