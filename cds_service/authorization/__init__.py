"""Who is asking: client JWT, key sets, trusted clients, and tokens that were used before.

Reading order: `authenticator.py` (the steps), `token.py` (what each step checks), then the keys from `keys.py`,
`key_file.py` and `key_url.py`. Used tokens are remembered in `cds_service/state/used_tokens.py`. `from_settings.py`
puts all together.
"""
