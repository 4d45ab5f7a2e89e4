"""What the journal says of one thing, with the path from each entry to the seal: a proof to keep.

For whoever holds the seal (its time stamp, an audit export), it shows without the rest of the
journal that these lines were in it, unchanged.
"""

import json
from collections.abc import Sequence

from socle.journal import merkle, tables
from socle.journal.actions import Subject
from socle.journal.queries import history


class SealedTree:
    """The leaves the last seal of the current schema covers: read once for many subjects."""

    def __init__(self) -> None:
        self.schema = tables.current_schema()
        self.seal = tables.last_seal(self.schema)
        size = self.seal.tree_size if self.seal else 0
        leaves = tables.leaf_hashes(self.schema, after=0)
        self._levels = _levels([leaf for leaf, _ in zip(leaves, range(size), strict=False)])

    def proof(self, position: int) -> list[bytes] | None:
        """The audit path of an entry (RFC 6962 §2.1.1); None when it is not sealed yet."""
        if self.seal is None or position > self.seal.tree_size:
            return None
        index, path = position - 1, []
        for level in self._levels:
            if (index ^ 1) < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return path


def extract(subject: Subject, tree: SealedTree) -> bytes:
    """Everything the journal says of `subject`, oldest first, as JSON: lines, leaves and paths."""
    seal = tree.seal
    said = {
        "journal": tree.schema,
        "seal": {**seal.line().statement(), "hash": bytes(seal.seal_hash).hex()} if seal else None,
        "entries": [
            {
                "line": json.loads(entry.line().encode()),
                "sentence": entry.sentence,
                "leaf": bytes(entry.leaf_hash).hex(),
                "proof": _hex(tree.proof(entry.position)),
            }
            for entry in history(subject)
        ],
    }
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The tree, level by level from the leaves, without its root; a node left alone goes up."""
    levels = []
    while len(leaves) > 1:
        levels.append(leaves)
        pairs = [
            merkle.node_hash(leaves[first], leaves[first + 1])
            for first in range(0, len(leaves) - 1, 2)
        ]
        leaves = [*pairs, leaves[-1]] if len(leaves) % 2 else pairs
    return levels


def _hex(path: list[bytes] | None) -> list[str] | None:
    return None if path is None else [step.hex() for step in path]
