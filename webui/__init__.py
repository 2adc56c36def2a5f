"""The web console: pages for the administrator, a JSON API, and figures for Prometheus."""
