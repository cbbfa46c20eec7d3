//! The protocol as seen from outside: tables that cite it, round trips, and sessions in virtual time.

mod corpus;
mod engine;
mod hostile;
mod model;
mod namespaces;
mod packet;
mod peer;
mod polling;
mod upgrade;
mod websocket;
mod websocket_codec;
