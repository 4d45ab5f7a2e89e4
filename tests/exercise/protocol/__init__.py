"""What the offices understand and answer, without any socket."""
