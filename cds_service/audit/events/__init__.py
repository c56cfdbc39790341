"""Records as FHIR R4 AuditEvent resources, on the pattern of IHE BALP (Basic Audit Log Patterns 1.1).

BALP has no profile for advice of a CDS Service; docs/audit.md tells the pattern used, with the source of every code.
"""
