"""The container image, really built and started without a container engine: `make image-test`."""
