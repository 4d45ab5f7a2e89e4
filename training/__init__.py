"""Programmes, sessions, registrations, attendance, attestations."""
