"""How given replicas are placed on spot zones and on-demand capacity, as others do it."""
