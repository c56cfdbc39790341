"""An NDJSON export (FHIR Bulk Data) as the source: streamed twice, first to draw the sample, then to examine it."""
