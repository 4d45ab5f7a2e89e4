"""The only door out and in: outbox, inbox, leases, retries, operators."""
