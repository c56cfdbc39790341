"""A run that Spark could not finish is told in a sentence."""

import pytest

from cds_service.insight.cohort.spark.engine import sentence_of

LOST = "Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent failure: Lost task 3.3: "


@pytest.mark.parametrize(
    ("trace", "sentence", "reason"),
    [
        ("", "Spark could not finish the run; its log says why", "nothing is known"),
        (f"{LOST}java.io.IOException: No space left", "Spark could not finish the run; its log says why", "of Java"),
        (
            f"{LOST}Traceback\ncds_service.errors.CohortRunError: an executor has another version\n\n\tat org.apache",
            "an executor has another version",
            "a sentence of ours",
        ),
        (
            f"{LOST}Traceback\nPermissionError: [Errno 13] Permission denied: '/exports/a.ndjson'\n\n\tat org.apache",
            "PermissionError: [Errno 13] Permission denied: '/exports/a.ndjson'",
            "a file that cannot be read",
        ),
        (
            f"{LOST}org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n\tat org.apache",
            "a Python process of an executor ended; there may be too little memory for the results of one patient",
            "killed by the system",
        ),
        (
            f"{LOST}Traceback\n  File worker.py\nMemoryError\n\n\tat org.apache",
            "a Python process of an executor ended; there may be too little memory for the results of one patient",
            "memory refused",
        ),
    ],
)
def test_sentence_of_a_trace_is_what_somebody_can_act_on(trace: str, sentence: str, reason: str) -> None:
    assert sentence_of(trace) == sentence, reason
