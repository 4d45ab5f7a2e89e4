"""A later release of the documents room, which breaks old code."""
