//! Folded names for users of an older application.
//!
//! Every user gets `usernameFolded`. `usernameKey` and `emailKey` go to one of those who differ by case
//! only: whoever holds it already, else the oldest by `_id`. The others are told of, and log in by
//! their exact name.

use std::collections::HashMap;

use bson::{Bson, Document, doc, oid::ObjectId};

use super::{judge::Unfolded, progress::Reporter};
use crate::{
    bulk::{self, Durability},
    connection::Collections,
    error::Fault,
};

/// Users that are in memory at once.
const CHUNK: usize = 250;
/// How often one chunk is tried: what fails was changed meanwhile.
const ATTEMPTS: usize = 5;
/// Collisions that are told one by one.
const MOST_TOLD: u64 = 50;

/// Users to whom names can be given. Others are no accounts, and left alone.
fn unfolded() -> Document {
    doc! {
        "usernameFolded": null,
        "_id": { "$type": "objectId" },
        "username": { "$type": "string" },
        "email": { "$type": "string" },
        "password": { "$type": "string" },
    }
}

/// Whether there are users without folded names.
pub(super) async fn has_work(collections: &Collections) -> Result<bool, Fault> {
    Ok(collections.limit(collections.users.find_one(unfolded())).await?.is_some())
}

/// What would be done.
pub(super) async fn plan(collections: &Collections) -> Result<Vec<String>, Fault> {
    let fit = collections.users.count_documents(unfolded()).await?;
    let odd = odd(collections).await?;
    let mut steps = Vec::new();
    if fit > 0 {
        steps.push(format!("give {fit} users their folded names"));
    }
    if odd > 0 {
        steps.push(format!("leave {odd} users alone, who have no textual name, address or password"));
    }
    Ok(steps)
}

/// Gives names to all who have none.
pub(super) async fn fold_names(collections: &Collections, reporter: &mut Reporter<'_>) -> Result<(), Fault> {
    let total = collections.users.count_documents(unfolded()).await?;
    let (mut done, mut collisions, mut attempts) = (0, 0, 0);
    loop {
        let chunk = chunk(collections).await?;
        if chunk.is_empty() {
            break;
        }
        let plan = Plan::make(collections, &chunk).await?;
        let statements = chunk.iter().map(|user| plan.statement(user)).collect();
        let outcome = bulk::update(collections, "users", statements, true, Durability::Majority).await?;
        if outcome.errors.is_empty() && outcome.matched > 0 {
            attempts = 0;
            done += chunk.len() as u64;
            plan.collisions.iter().for_each(|line| tell(reporter, &mut collisions, line));
        } else {
            attempts += 1;
        }
        if attempts >= ATTEMPTS {
            return Err(Fault::Answer("outcome of an update of users"));
        }
        reporter.count("users have their folded names", done, Some(total));
    }
    if collisions > MOST_TOLD {
        reporter.note(format!("{collisions} users in all share a name or an address but for its case"));
    }
    match odd(collections).await? {
        0 => {}
        odd => reporter.note(format!(
            "{odd} users have no textual name, address or password, or an _id that is no ObjectId; they are left alone"
        )),
    }
    Ok(())
}

fn tell(reporter: &mut Reporter<'_>, told: &mut u64, line: &str) {
    *told += 1;
    if *told <= MOST_TOLD {
        reporter.note(line);
    }
}

/// The oldest who have no folded names.
async fn chunk(collections: &Collections) -> Result<Vec<Unfolded>, Fault> {
    let users = collections
        .users
        .find(unfolded())
        .sort(doc! { "usernameFolded": 1, "_id": 1 })
        .projection(doc! { "username": 1, "email": 1 })
        .limit(CHUNK as i64);
    let mut cursor = collections.limit(users).await?;
    let mut chunk = Vec::with_capacity(CHUNK);
    while collections.limit(cursor.advance()).await? {
        chunk.extend(Unfolded::read(cursor.current()));
    }
    Ok(chunk)
}

async fn odd(collections: &Collections) -> Result<u64, Fault> {
    let without = collections.users.count_documents(doc! { "usernameFolded": null }).await?;
    let fit = collections.users.count_documents(unfolded()).await?;
    Ok(without.saturating_sub(fit))
}

/// Who holds which key after a chunk.
struct Plan {
    usernames: HashMap<String, ObjectId>,
    emails: HashMap<String, ObjectId>,
    /// One line for each who does not get a key.
    collisions: Vec<String>,
}

impl Plan {
    /// The chunk stands in the order of age.
    async fn make(collections: &Collections, chunk: &[Unfolded]) -> Result<Self, Fault> {
        let usernames = chunk.iter().map(|user| &*user.username);
        let emails = chunk.iter().map(|user| &*user.email);
        let mut plan = Self {
            usernames: holders(collections, "usernameKey", usernames).await?,
            emails: holders(collections, "emailKey", emails).await?,
            collisions: Vec::new(),
        };
        for user in chunk {
            for (keys, key, what) in [
                (&mut plan.usernames, &user.username, "username"),
                (&mut plan.emails, &user.email, "e-mail address"),
            ] {
                let holder = *keys.entry(key.clone()).or_insert(user.id);
                if holder != user.id {
                    plan.collisions.push(format!(
                        "user {} has the {what} of user {holder} but for its case: it logs in by its exact one",
                        user.id
                    ));
                }
            }
        }
        Ok(plan)
    }

    fn statement(&self, user: &Unfolded) -> Document {
        let mut set = doc! { "usernameFolded": &user.username };
        if self.usernames.get(&user.username) == Some(&user.id) {
            set.insert("usernameKey", &user.username);
        }
        if self.emails.get(&user.email) == Some(&user.id) {
            set.insert("emailKey", &user.email);
        }
        bulk::statement(doc! { "_id": user.id }, doc! { "$set": set })
    }
}

/// Who holds these keys already.
async fn holders(
    collections: &Collections,
    field: &'static str,
    keys: impl Iterator<Item = &str>,
) -> Result<HashMap<String, ObjectId>, Fault> {
    let keys: Vec<Bson> = keys.map(Bson::from).collect();
    let users = collections.users.find(doc! { field: { "$in": keys } }).projection(doc! { field: 1 });
    let mut cursor = collections.limit(users).await?;
    let mut holders = HashMap::new();
    while collections.limit(cursor.advance()).await? {
        let holder = cursor.current();
        if let (Ok(key), Ok(id)) = (holder.get_str(field), holder.get_object_id("_id")) {
            holders.insert(key.to_owned(), id);
        }
    }
    Ok(holders)
}
