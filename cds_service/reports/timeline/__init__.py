"""The picture of one patient over time, as SVG of our own: drawn on the request path, so without a plotting library."""
