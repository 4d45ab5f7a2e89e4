"""The tree, against the published vectors of RFC 6962 implementations and against itself."""

import hashlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.journal.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots of the Certificate Transparency reference implementation (merkle_tree_test).
DATA = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [leaf_hash(data) for data in DATA]
MANY = [leaf_hash(bytes([number])) for number in range(67)]
sizes = st.integers(1, len(MANY))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_is_the_published_one(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_a_published_inclusion_proof_is_found() -> None:
    assert [step.hex() for step in inclusion_proof(0, LEAVES)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_a_published_consistency_proof_is_found() -> None:
    assert [step.hex() for step in consistency_proof(6, LEAVES)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_a_leaf_never_passes_for_a_node() -> None:
    left, right = MANY[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(sizes, st.data())
def test_every_leaf_is_proved_in_its_own_place_only(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, MANY[:size])
    proved = verify_inclusion(
        leaf=MANY[index], index=other, size=size, proof=proof, root=root(MANY[:size])
    )
    assert proved is (index == other)


@given(sizes, st.data())
def test_an_altered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = [*inclusion_proof(index, MANY[:size]), MANY[0]]
    drop = data.draw(st.integers(0, len(proof) - 1))
    altered = [step for place, step in enumerate(proof) if place != drop]
    known = partial(
        verify_inclusion, leaf=MANY[index], index=index, size=size, root=root(MANY[:size])
    )
    assert not known(proof=proof)
    assert known(proof=altered) is (altered == proof[:-1])


@given(sizes, st.data())
def test_a_grown_tree_is_consistent_with_itself(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    assert verify_consistency(
        old_size=old,
        old_root=root(MANY[:old]),
        size=size,
        root=root(MANY[:size]),
        proof=consistency_proof(old, MANY[:size]),
    )


@given(sizes, st.data())
def test_a_rewritten_past_is_not_consistent(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    touched = data.draw(st.integers(0, old - 1))
    forged = [*MANY[:touched], leaf_hash(b"forged"), *MANY[touched + 1 : size]]
    assert not verify_consistency(
        old_size=old,
        old_root=root(MANY[:old]),
        size=size,
        root=root(forged),
        proof=consistency_proof(old, forged),
    )


def test_a_tree_cannot_shrink() -> None:
    assert not verify_consistency(
        old_size=3, old_root=root(MANY[:3]), size=2, root=root(MANY[:2]), proof=[]
    )


@given(sizes, st.data())
def test_a_frontier_read_back_grows_to_the_same_root(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    before = Frontier().extend(MANY[:cut])
    after = Frontier.from_bytes(cut, before.to_bytes()).extend(MANY[cut:size])
    assert after.root() == root(MANY[:size])


def test_a_million_leaves_are_carried_by_at_most_twenty_hashes() -> None:
    perfect = Frontier((1 << 20) - 1, tuple(MANY[:20]))
    assert len(perfect.append(MANY[20]).peaks) == 1


@pytest.mark.parametrize(("size", "data"), [(2, bytes(64)), (1, bytes(31)), (-1, b""), (3, b"")])
def test_peaks_that_cannot_carry_the_size_are_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match="peak"):
        Frontier.from_bytes(size, data)


@pytest.mark.parametrize("index", [-1, 8])
def test_no_proof_is_given_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, LEAVES)


def test_no_proof_is_given_for_a_tree_larger_than_the_leaves() -> None:
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(9, LEAVES)
