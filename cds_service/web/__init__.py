"""The HTTP edge: from bytes and headers to typed calls of a CDS Service, and back. Nothing here is clinical.

Reading order: `application.py` (the Flask application and its hooks), `hooks.py` (the path of a CDS Hooks request),
`authentication.py` (who may ask), `body.py` (what may be sent), `errors.py` (the one place that words a failure).
"""
