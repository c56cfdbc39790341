"""From a request to a recorded answer, for every CDS Service: what decides, explains, records and snoozes."""
