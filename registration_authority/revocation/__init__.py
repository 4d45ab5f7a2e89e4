"""How a certificate ends before its time: who asks, who answers for it, until it is published."""
