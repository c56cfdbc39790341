"""The rule: SII, eligibility, timing and assessment. Pure, standard library only."""
