"""What a clinician reads: summary, detail, wording, and the assessment as data."""
