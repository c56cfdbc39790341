"""Whatever looks at many decisions at a time. Nothing that answers a hook imports it."""
