"""The PES V2 protocol, without Django: read, check, name, match.

`aller_reader` reads what the commune deposits, `deposit` says whether it may leave, `names` gives
it its name; `inbound` sorts what comes back, `acquit_reader` and `retour` read it, `matching` finds
whose it is.
"""
