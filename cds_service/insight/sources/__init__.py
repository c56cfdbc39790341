"""Where decisions come from: the audit log, an export, a FHIR server, a replay."""
