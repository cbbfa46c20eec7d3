//! Socket.IO 5 on Engine.IO 4, server side, sans-IO.
