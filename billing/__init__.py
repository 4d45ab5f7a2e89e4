"""Price list, billable items, invoices."""
