"""CDS Hooks service: SII and recurrence risk after interventional therapy of primary liver cancer."""
