"""Who may act for an authority: conventions, operators and their powers, denials."""
