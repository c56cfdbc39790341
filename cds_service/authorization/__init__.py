"""Who is asking: client JWT, key sets, trusted clients, replay.

Reading order: `authenticator.py` (the steps); `token.py`, `token_header.py` and `signature.py` with the keys from
`keys.py`, `key_file.py` and `key_url.py`; then `claims.py` and `replay.py`. `from_settings.py` puts them together.
"""
