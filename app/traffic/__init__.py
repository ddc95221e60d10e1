"""How clients share the server: whose request runs next, and how many a client may ask in a minute."""
