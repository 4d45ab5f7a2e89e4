"""S²LOW: transmitting through an operator that speaks its HTTP interface."""
