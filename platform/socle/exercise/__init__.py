"""The practice préfecture and trésorerie: the other side of ACTES and HELIOS, for training.

Written from the exchange norms alone. It shares no code with `socle.actes` nor `socle.helios`, so
that an agreement between them means something. Everything a person reads in what it returns says
« EXERCICE ».
"""
