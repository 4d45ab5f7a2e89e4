"""Why the State refused, in plain French: texts of the syndicat over those Socle comes with."""
