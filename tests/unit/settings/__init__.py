"""The site configuration: reading, checking, explaining."""
