"""What a file is made of beyond its states: the policy of the offer, mandates, notes, copies."""
