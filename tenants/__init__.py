"""Communes as tenants: provisioning, routing, onboarding, and the home of each role."""
