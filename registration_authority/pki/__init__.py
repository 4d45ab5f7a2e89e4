"""X.509 for the registration authority: functions on bytes and values. Pure: no Django."""
