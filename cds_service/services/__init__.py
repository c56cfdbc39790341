"""The CDS Services, one file each: what is asked, by which rule, in which words. `app.py` says which of them answer."""
