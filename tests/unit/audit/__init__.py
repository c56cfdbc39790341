"""The audit record, the chain, the log and its search."""
