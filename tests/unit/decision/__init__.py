"""The flow of a decision and its explanation, from a hook request to the assessment."""
