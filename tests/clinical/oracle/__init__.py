"""Expected assessments computed apart from the service, by plain arithmetic from the published rule."""
