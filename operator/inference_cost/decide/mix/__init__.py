"""Where replicas run: the cheapest mix over failure domains of priced pools, losses priced in."""
