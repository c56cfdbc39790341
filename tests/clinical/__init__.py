"""The rule on whole charts."""
