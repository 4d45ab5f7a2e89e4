"""The whole of Socle in a real browser: what a person sees is all these tests know."""
