"""What the practice offices understand and answer: pure functions on bytes, no Django, no clock."""
