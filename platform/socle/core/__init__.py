"""Small values everybody needs: identifiers, text, time, refusals. Imports nothing of ours."""
