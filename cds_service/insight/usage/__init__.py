"""What the service did in a period: counted from the audit log, shown as a report."""
