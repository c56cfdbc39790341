"""Health check of the container: exit status 0 when the service answers that it is ready.

Without a shell or curl. The port is the one of SII_CDS__SERVER__PORT, else 8080: a port that only the configuration
file names has to be set there as well.
"""

import http.client
import os
import sys


def main() -> int:
    """Ask the service in this container."""
    port = int(os.environ.get("SII_CDS__SERVER__PORT", "8080"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        connection.request("GET", "/readyz")
        return 0 if connection.getresponse().status == http.HTTPStatus.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
