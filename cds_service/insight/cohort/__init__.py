"""The published study, repeated on the patients of a site."""
