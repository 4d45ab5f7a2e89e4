"""The names of the roles of the database."""

from typing import Final

OWNER: Final = "socle_owner"
"""Owns every table, migrates; nobody serves with it."""
WEB: Final = "socle_web"
"""Serves pages and works in the background; can enter every commune's role, owns nothing."""
COMMUNE: Final = "socle_commune"
"""All communes together: what the policies of the shared tables name."""
COMMUNE_SCHEMA: Final = "socle_commune"
"""What a commune sees in the place of some shared tables (people, without their secrets)."""
