"""The rule: SII, eligibility, timing, choice of the draw, reasons."""
