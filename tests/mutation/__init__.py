"""Mutation testing: run.sh, and the part that the tool cannot do."""
