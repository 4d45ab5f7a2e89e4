"""Socle: the ground on which every commune of a syndicat mixte stands."""
