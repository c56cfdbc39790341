"""Outputs that programs outside rely on, byte for byte as they were when somebody last meant to change them."""
