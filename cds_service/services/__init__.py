"""The table of contents: one file per CDS Service, its flow one line a step."""
