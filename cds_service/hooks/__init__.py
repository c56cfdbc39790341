"""CDS Hooks models: request, response, discovery, feedback (https://cds-hooks.hl7.org/2.0/)."""
