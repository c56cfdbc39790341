"""The production server: workers, the gate before the application, limits, reload, supervision."""
