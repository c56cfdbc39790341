"""`sii-cds cohort assess --engine spark` for spark-submit, which brings master and configuration.

spark-submit … sii_cds_cohort_assess.py EXPORT… --out DIR [options of `cohort assess`]
"""

import sys

from cds_service.cli.main import main

if __name__ == "__main__":
    main(["cohort", "assess", "--engine", "spark", *sys.argv[1:]], prog_name="sii-cds")
