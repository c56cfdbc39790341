"""The demo: synthetic charts, the CDS Client, its pages."""
