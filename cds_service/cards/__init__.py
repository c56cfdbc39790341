"""Say it: card building, with all wording in one place per language."""
