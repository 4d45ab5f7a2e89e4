"""A later release of the documents room, which old code can work in."""
