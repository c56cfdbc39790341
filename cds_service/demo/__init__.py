"""A small EHR page with synthetic patients, which calls the service as a CDS Client would."""
