"""A FHIR server as the source: asked gently, one request after the other, with the service's own fetching."""
