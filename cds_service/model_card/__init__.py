"""The model card: evidence, limits and local policy of the rule as a document."""
