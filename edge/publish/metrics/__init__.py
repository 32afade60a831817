"""What a station tells whoever comes to look: figures for Prometheus, and whether it is well."""
