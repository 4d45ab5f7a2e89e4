"""The papers of a case, each described once as a neutral document."""
