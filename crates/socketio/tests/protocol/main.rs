//! The protocol as seen from outside: tables that cite it, round trips, and sessions in virtual time.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails on whatever it does not expect")]

#[cfg(test)]
mod autobahn;
#[cfg(test)]
mod bare;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod model;
#[cfg(test)]
mod namespaces;
#[cfg(test)]
mod packet;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod polling;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod websocket_codec;
