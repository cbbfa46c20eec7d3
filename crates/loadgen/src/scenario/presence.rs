//! Presence to everyone: many users come online while many are, and each must hear of each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::Target;
use crate::crowd::Crowd;
use crate::meter::Meter;
use crate::users::{self, User};
use crate::{stats, system};
use chat_client::ClientError as LoadError;
use chat_client::clock;
use chat_client::packets::{self, Packet};

/// How long no news may come before what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// Options of the presence scenario.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Presence {
    /// Users who are online already, and as many who come.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) users: usize,
}

/// Figures of users coming online.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PresenceFigures {
    /// Users who came online.
    pub(crate) newcomers: usize,
    /// `user_online` events that were due: each user heard of each later one.
    pub(crate) news_due: u64,
    /// Users that somebody never heard of, by event or by the list at the start.
    pub(crate) lost: u64,
    /// Users that somebody heard of twice.
    pub(crate) doubled: u64,
    /// Users that somebody was told to be offline, though nobody left.
    pub(crate) false_offline: u64,
    /// Seconds from the first newcomer to the last news.
    pub(crate) seconds: f64,
    /// Server CPU for each newcomer, telling everybody included.
    pub(crate) server_cpu_us_per_connection: Option<f64>,
}

/// Registers everybody, connects the first half, then measures while the second half connects.
///
/// # Errors
/// When a connection was refused or did not stay.
pub(crate) async fn run(target: Target, options: Presence) -> Result<PresenceFigures, LoadError> {
    system::allow_connections(options.users * 2)?;
    let users = users::register(target.server, options.users * 2).await?;
    let news = Rc::new(RefCell::new(News::new(&users)));
    let mut crowd = Crowd::default();
    let (present, newcomers) = users.split_at(options.users);
    connect(target, &mut crowd, present, 0, &news).await?;
    until_silent(&news, options.users).await;
    let (meter, start) = (Meter::read(target.server_pid)?, clock::nanos());
    connect(target, &mut crowd, newcomers, options.users, &news).await?;
    let last = until_silent(&news, options.users * 2).await;
    let cost = meter.cost()?;
    crowd.check_unbroken()?;
    let (news, n) = (news.borrow(), options.users as u64);
    Ok(PresenceFigures {
        newcomers: options.users,
        news_due: n * n + n * n.saturating_sub(1) / 2,
        lost: 2 * n * (2 * n).saturating_sub(1) - news.known,
        doubled: news.doubled,
        false_offline: news.offline,
        seconds: stats::round(last.saturating_sub(start) as f64 / 1e9, 3),
        server_cpu_us_per_connection: cost.server_each(n),
    })
}

async fn connect(
    target: Target,
    crowd: &mut Crowd,
    users: &[User],
    first: usize,
    news: &Rc<RefCell<News>>,
) -> Result<(), LoadError> {
    let tokens = users.iter().map(|user| Rc::clone(&user.token));
    crowd
        .open(target.server, tokens, |index, _| {
            let news = Rc::clone(news);
            move |packet: Packet<'_>, now| news.borrow_mut().handle(first + index, packet, now)
        })
        .await
}

/// Waits until `online` users know each other, or nothing came for a while; says when the last news came.
async fn until_silent(news: &RefCell<News>, online: usize) -> u64 {
    let due = (online * online.saturating_sub(1)) as u64;
    let begun = clock::nanos();
    loop {
        let (known, last) = (news.borrow().known, news.borrow().last);
        let silent = clock::nanos().saturating_sub(last.max(begun));
        if known >= due || u128::from(silent) > SILENCE.as_nanos() {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person<'a> {
    user_id: &'a str,
}

/// Who knows of whom.
struct News {
    index: HashMap<Rc<str>, usize>,
    /// Row by row, one flag for each pair of users.
    flags: Vec<bool>,
    known: u64,
    doubled: u64,
    offline: u64,
    last: u64,
}

impl News {
    fn new(users: &[User]) -> News {
        let index = users.iter().enumerate().map(|(index, user)| (Rc::clone(&user.id), index)).collect();
        let flags = vec![false; users.len() * users.len()];
        News { index, flags, known: 0, doubled: 0, offline: 0, last: 0 }
    }

    fn handle(&mut self, observer: usize, packet: Packet<'_>, now: u64) -> Result<(), LoadError> {
        match packet {
            Packet::Event { name: "user_online", arguments } => {
                self.hear(observer, &read::<Person<'_>>(arguments)?, now);
            }
            Packet::Event { name: "online_users", arguments } => {
                read::<Vec<Person<'_>>>(arguments)?
                    .iter()
                    .for_each(|person| self.hear(observer, person, now));
            }
            Packet::Event { name: "user_offline", .. } => self.offline += 1,
            Packet::Event { .. } | Packet::Ack { .. } => {}
        }
        Ok(())
    }

    fn hear(&mut self, observer: usize, person: &Person<'_>, now: u64) {
        let Some(&subject) = self.index.get(person.user_id) else { return };
        let Some(flag) = self.flags.get_mut(observer * self.index.len() + subject) else { return };
        if std::mem::replace(flag, true) {
            self.doubled += 1;
        } else if observer != subject {
            self.known += 1;
            self.last = now;
        }
    }
}

fn read<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, LoadError> {
    packets::first(arguments).map_err(|error| LoadError::protocol(&error.to_string(), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> User {
        User { id: id.into(), token: "".into(), username: id.to_owned() }
    }

    #[test]
    fn lists_and_events_are_counted_once_for_each_pair() {
        let mut news = News::new(&[user("a"), user("b")]);
        let list = Packet::Event { name: "online_users", arguments: r#"[{"userId":"b","username":"b"}]]"# };
        let event = Packet::Event { name: "user_online", arguments: r#"{"userId":"b","username":"b"}]"# };
        news.handle(0, list, 1).unwrap();
        assert_eq!((news.known, news.doubled), (1, 0));
        news.handle(0, event, 2).unwrap();
        assert_eq!((news.known, news.doubled, news.last), (1, 1, 1));
    }
}
