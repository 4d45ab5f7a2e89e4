"""The journal on a screen, and the sealed parcel an auditor takes away."""
