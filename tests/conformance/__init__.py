"""Conformance: the requirements of CDS Hooks on a service, judged from outside. The README says what is left out."""
