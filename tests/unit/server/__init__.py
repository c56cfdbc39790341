"""The production server: what stands between the socket and the application."""
