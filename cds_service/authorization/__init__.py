"""Who is asking: client JWT, key sets, trusted clients, replay."""
