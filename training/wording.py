"""How half-days and durations are said in French. Pure."""

from datetime import datetime

from socle.core.clock import PARIS

NOON = 12


def half_day(starts_at: datetime) -> str:
    """« 24/11/2026 matin » or « 24/11/2026 après-midi », on the clock of Paris."""
    legal = starts_at.astimezone(PARIS)
    return f"{legal:%d/%m/%Y} {'matin' if legal.hour < NOON else 'après-midi'}"


def span(starts_at: datetime, ends_at: datetime) -> str:
    """« 24/11/2026 de 9 h 00 à 11 h 30 », on the clock of Paris."""
    start, end = starts_at.astimezone(PARIS), ends_at.astimezone(PARIS)
    return f"{start:%d/%m/%Y} de {start.hour} h {start:%M} à {end.hour} h {end:%M}"


def duration(minutes: int) -> str:
    """« 2 h 30 », « 3 h », « 45 min »."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"
