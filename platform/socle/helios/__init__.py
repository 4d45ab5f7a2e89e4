"""HELIOS: the PES flows a commune exchanges with the DGFiP."""
