"""The file for `spark-submit`, alone in its folder: Spark puts that folder before all others to import from."""
