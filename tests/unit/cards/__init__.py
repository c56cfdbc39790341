"""Tests of the cards: building, wording, model card."""
