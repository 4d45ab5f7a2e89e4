"""Figures of the counter: where files stand, how long things take, what they cost and save."""
