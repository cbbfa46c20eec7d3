//! actix-web REST, Engine.IO over HTTP and WebSocket, and the hub of connected sockets.
