"""The bordereau and the stamped copies S²LOW makes of an acknowledged act."""

import logging
from datetime import datetime

from socle.core import sweeps
from socle.s2low import actions, queries
from socle.s2low.client import S2lowClient
from socle.s2low.models import S2lowTransaction
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer

log = logging.getLogger(__name__)


def fetch_due(*, at: datetime) -> int:
    """Fetch what is missing for every act; the number of acts that have it all now.

    The AR is kept and told before: an act does not wait for its papers.
    """
    clients: dict[tuple[int, int], S2lowClient] = {}

    def fetch(row: S2lowTransaction) -> bool:
        key = (row.operator_id, row.organisation_id)
        try:
            if key not in clients:
                clients[key] = _client(row, at=at)
            return actions.fetch_papers(row, clients[key], at=at)
        except NotAnAnswer as problem:
            log.warning("%s: papers not fetched (%s)", row, problem)
            return False

    waiting = queries.awaiting_papers(at=at)
    return sum(sweeps.each("Papiers d’un acte à prendre sur S²LOW", waiting, fetch))


def _client(row: S2lowTransaction, *, at: datetime) -> S2lowClient:
    account = queries.account_of(row.operator, row.organisation)
    if account is None:
        raise AccountFault(f"« {row.organisation} » n’a plus de compte S²LOW.")
    return actions.open_client(account, at=at)
