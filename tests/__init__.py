"""Tests of sii-cds; README.md says which kind answers which question."""
