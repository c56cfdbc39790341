"""The OpenAPI 3.1 description of the HTTP interface: what may be sent, and what can come back."""
