//! The rules of the workspace that a compiler does not hold: arrows between crates, licences, the house style.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod house_rules;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod spdx;
#[cfg(test)]
mod world;
