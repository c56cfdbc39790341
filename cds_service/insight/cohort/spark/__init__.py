"""The Spark engine: what the local engine does, over many machines.

Reading order: `starting.py` (Java, pyspark, the context), `shipping.py` (what executors are told), `splits.py` (files
in pieces), `reading.py` (a piece becomes records), `partitions.py` (records become rows), `engine.py` (all of it).
"""
