//! Tests that reach inside: what fails, what is damaged, what is swept when.

mod damage;
mod failures;
mod folder;
mod moving;
mod overlay;
mod recovery;
mod world;
