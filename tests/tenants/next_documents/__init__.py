"""The documents room one release later: what an upgrade has to bring everywhere."""
