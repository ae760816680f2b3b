//! Whatever needs a server, a socket, a database or a foreign client.
