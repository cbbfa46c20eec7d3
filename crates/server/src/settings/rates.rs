//! Reads how often things may be done.
//!
//! A rate is `N/s`, `N/min` or `N/h`, and `burst N` where more or fewer than those N may come at once.

use std::time::Duration;

use chat_limiter::{Rate, Rates};

use super::{SettingsError, catalog as c, reader::Reader, spec::Text};

/// Large enough for whoever wants none, small enough to be counted in nanoseconds.
const MOST: u32 = 1_000_000;
const RULE: &str = "must be N/s, N/min or N/h, then `burst N` where it differs, with N from 1 to 1000000";
const LOGIN_RULE: &str = "must be such rates as `10/min account, 100/min address`";

/// The rates; none where they are switched off.
///
/// # Errors
/// One that can't be read, whether or not they are on.
pub(super) fn load(read: &mut Reader<'_>) -> Result<Option<Rates>, SettingsError> {
    let on = read.switch(&c::RATE_LIMITS)?;
    let defaults = Rates::default();
    let registrations = single(read, &c::RATE_REGISTER, defaults.registrations)?;
    let (logins_to, logins_from) = logins(read, (defaults.logins_to, defaults.logins_from))?;
    let messages = single(read, &c::RATE_MESSAGES, defaults.messages)?;
    let events = single(read, &c::RATE_EVENTS, defaults.events)?;
    let handshakes = single(read, &c::RATE_HANDSHAKES, defaults.handshakes)?;
    Ok(on.then_some(Rates { registrations, logins_to, logins_from, handshakes, messages, events }))
}

fn single(read: &mut Reader<'_>, setting: &Text, default: Rate) -> Result<Rate, SettingsError> {
    match given(read, setting) {
        Some(text) => rate(text).ok_or_else(|| SettingsError::new(setting.name, RULE)),
        None => Ok(default),
    }
}

/// The rates of an account and of an address.
fn logins(read: &mut Reader<'_>, defaults: (Rate, Rate)) -> Result<(Rate, Rate), SettingsError> {
    let Some(text) = given(read, &c::RATE_LOGIN) else { return Ok(defaults) };
    let (mut account, mut address) = (None, None);
    for part in text.split(',') {
        let read = part.trim().rsplit_once(char::is_whitespace).and_then(|(text, whose)| {
            let place = match whose {
                "account" => &mut account,
                "address" => &mut address,
                _ => return None,
            };
            place.is_none().then_some(())?;
            *place = Some(rate(text)?);
            Some(())
        });
        read.ok_or_else(|| SettingsError::new(c::RATE_LOGIN.name, LOGIN_RULE))?;
    }
    Ok((account.unwrap_or(defaults.0), address.unwrap_or(defaults.1)))
}

/// What is given; what is not is shown as its default.
fn given<'a>(read: &mut Reader<'a>, setting: &Text) -> Option<&'a str> {
    let text = read.text(setting);
    if text.is_none() {
        read.assume(setting.name, setting.default.trim_matches('`'));
    }
    text
}

fn rate(text: &str) -> Option<Rate> {
    let mut words = text.split_whitespace();
    let (count, unit) = words.next()?.split_once('/')?;
    let count = number(count)?;
    let per = Duration::from_secs(match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    });
    let burst = match words.next() {
        None => count,
        Some("burst") => number(words.next()?)?,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Rate::new(count, per, burst))
}

fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && (1..=MOST).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    fn load(name: &str, value: &str) -> Result<Option<Rates>, SettingsError> {
        let mut sources = Sources::default();
        sources.add_environment([(name.into(), value.into())].into_iter())?;
        Settings::load(&sources).map(|settings| settings.rates)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_rate_is_a_number_a_unit_and_a_burst() {
        for (text, expected) in [
            ("30/min", Some(Rate::new(30, MINUTE, 30))),
            ("20/s burst 200", Some(Rate::new(20, Duration::from_secs(1), 200))),
            (" 5/h  burst 1 ", Some(Rate::new(5, Duration::from_secs(3_600), 1))),
            ("1000000/s burst 1000000", Some(Rate::new(MOST, Duration::from_secs(1), MOST))),
            ("30", None),
            ("30/m", None),
            ("0/s", None),
            ("1000001/s", None),
            ("+1/s", None),
            ("1/s burst", None),
            ("1/s burst 0", None),
            ("1/s 5", None),
            ("1/s burst 5 6", None),
        ] {
            assert_eq!(rate(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_defaults_of_the_documentation_are_those_of_the_limiter() {
        for setting in
            [&c::RATE_REGISTER, &c::RATE_LOGIN, &c::RATE_MESSAGES, &c::RATE_EVENTS, &c::RATE_HANDSHAKES]
        {
            let default = setting.default.trim_matches('`');
            assert_eq!(load(setting.name, default), Ok(Some(Rates::default())), "{}", setting.name);
        }
        assert_eq!(load("PORT", "1"), Ok(Some(Rates::default())));
        assert_eq!(load("RATE_LIMITS", "off"), Ok(None));
    }

    #[test]
    fn a_login_rate_says_whose_it_is_and_one_left_out_keeps_its_default() {
        let rates = load("RATE_LOGIN", "3/min burst 5 address").unwrap().unwrap();
        assert_eq!(rates.logins_from, Rate::new(3, MINUTE, 5));
        assert_eq!(rates.logins_to, Rates::default().logins_to);
        for wrong in ["10/min", "10/min user", "1/s account, 2/s account", "account", "1/s account,"] {
            let line = load("RATE_LOGIN", wrong).unwrap_err().to_string();
            assert!(line.starts_with("RATE_LOGIN: must be such rates as"), "{wrong}: {line}");
        }
        let line = load("RATE_EVENTS", "many").unwrap_err().to_string();
        assert!(line.starts_with("RATE_EVENTS: must be N/s"), "{line}");
    }
}
