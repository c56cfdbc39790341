"""Requests to the FHIR server of a CDS Client: whom to ask, how long, how much, and when not to ask at all."""
