"""The S²LOW client, over real TLS sockets, against a server written from the interface."""
