"""What the authority's policy and the communes ask, written down as data."""
