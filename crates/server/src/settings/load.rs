//! Reads every setting into its place, and checks those that depend on each other.

use std::{collections::HashSet, path::PathBuf, thread, time::Duration};

use chat_domain::{ChatSettings, PresenceAudience, model::Limits};
use chat_mongo_adapter::MongoUri;
use chat_transport::{Origins, TrustedProxies};

use super::{
    Bcrypt, Drain, Environment, Listen, LogSettings, Settings, SettingsError, TlsFiles, catalog as c, later,
    rates, reader::Reader, secret, sources::Sources, spec::Integer,
};

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// The first one that is wrong.
    pub(crate) fn load(sources: &Sources) -> Result<Self, SettingsError> {
        let mut read = Reader::new(sources);
        let environment = environment(&mut read)?;
        let mut notices = sources.notices().to_vec();
        notices.extend(later::check(sources, environment)?);
        let listen = listen(&mut read)?;
        let data_dir = read.text(&c::DATA_DIR).map(PathBuf::from);
        if data_dir.is_none() {
            read.assume(c::DATA_DIR.name, "./data");
        }
        let limits = limits(&mut read)?;
        let rates = rates::load(&mut read)?;
        let (secret, weak) = secret::check(read.text(&c::JWT_SECRET), environment)?;
        notices.extend(weak);
        Ok(Self {
            environment,
            listen,
            tls: tls(&mut read)?,
            data_dir: data_dir.unwrap_or_else(|| "./data".into()),
            mongodb: mongodb(&mut read)?,
            secret,
            bcrypt: bcrypt(&mut read)?,
            token_ttl_seconds: read.integer(&c::TOKEN_TTL_SECONDS)?,
            chat: chat(&mut read)?,
            transport: transport(&mut read, environment, &limits, rates.is_some())?,
            rates,
            limits,
            log: log(&mut read, environment)?,
            drain: drain(&mut read)?,
            notices,
            effective: read.into_effective(),
        })
    }
}

fn environment(read: &mut Reader<'_>) -> Result<Environment, SettingsError> {
    let word = match read.choice(&c::APP_ENV)? {
        None => read.choice(&c::NODE_ENV)?,
        given => given,
    };
    if word.is_none() {
        read.assume(c::APP_ENV.name, "development");
    }
    Ok(if word == Some("production") { Environment::Production } else { Environment::Development })
}

fn listen(read: &mut Reader<'_>) -> Result<Listen, SettingsError> {
    let host = read.text(&c::HOST).map(str::to_owned);
    if host.is_none() {
        read.assume(c::HOST.name, "0.0.0.0");
    }
    Ok(Listen {
        host: host.unwrap_or_else(|| "0.0.0.0".into()),
        port: read.integer(&c::PORT)?,
        workers: or_cores(read.integer(&c::WORKERS)?, usize::MAX),
        max_connections: read.integer(&c::MAX_CONNECTIONS)?,
        header_timeout: millis(read, &c::HEADER_TIMEOUT_MS)?,
    })
}

fn tls(read: &mut Reader<'_>) -> Result<Option<TlsFiles>, SettingsError> {
    match (read.text(&c::TLS_CERT).map(PathBuf::from), read.text(&c::TLS_KEY).map(PathBuf::from)) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingsError::new(c::TLS_KEY.name, "must be given where TLS_CERT is")),
        (None, Some(_)) => Err(SettingsError::new(c::TLS_CERT.name, "must be given where TLS_KEY is")),
    }
}

fn mongodb(read: &mut Reader<'_>) -> Result<Option<MongoUri>, SettingsError> {
    let uri = read.text(&c::MONGODB_URI).map(|given| MongoUri::parse(given.trim()));
    uri.transpose().map_err(|error| SettingsError::new(c::MONGODB_URI.name, error.to_string()))
}

fn bcrypt(read: &mut Reader<'_>) -> Result<Bcrypt, SettingsError> {
    Ok(Bcrypt {
        cost: read.integer(&c::BCRYPT_COST)?,
        threads: or_cores(read.integer(&c::BCRYPT_THREADS)?, 4),
        queue: read.integer(&c::BCRYPT_QUEUE)?,
    })
}

fn limits(read: &mut Reader<'_>) -> Result<Limits, SettingsError> {
    let limits = Limits {
        min_username_chars: read.integer(&c::MIN_USERNAME_CHARS)?,
        max_username_chars: read.integer(&c::MAX_USERNAME_CHARS)?,
        max_email_chars: read.integer(&c::MAX_EMAIL_CHARS)?,
        min_password_bytes: read.integer(&c::MIN_PASSWORD_BYTES)?,
        max_password_bytes: read.integer(&c::MAX_PASSWORD_BYTES)?,
        max_message_chars: read.integer(&c::MAX_MESSAGE_CHARS)?,
        max_client_id_chars: read.integer(&c::MAX_CLIENT_ID_CHARS)?,
        default_page_items: read.integer(&c::DEFAULT_PAGE_ITEMS)?,
        max_page_items: read.integer(&c::MAX_PAGE_ITEMS)?,
        max_page_bytes: read.integer(&c::MAX_PAGE_BYTES)?,
        max_unread_count: read.integer(&c::MAX_UNREAD_COUNT)?,
        max_receipt_events: read.integer(&c::MAX_RECEIPT_EVENTS)?,
        default_sync_events: read.integer(&c::DEFAULT_SYNC_EVENTS)?,
        max_sync_events: read.integer(&c::MAX_SYNC_EVENTS)?,
        max_blocked_users: read.integer(&c::MAX_BLOCKED_USERS)?,
    };
    at_most(
        &c::MIN_USERNAME_CHARS,
        limits.min_username_chars,
        &c::MAX_USERNAME_CHARS,
        limits.max_username_chars,
    )?;
    at_most(
        &c::MIN_PASSWORD_BYTES,
        limits.min_password_bytes,
        &c::MAX_PASSWORD_BYTES,
        limits.max_password_bytes,
    )?;
    at_most(
        &c::DEFAULT_SYNC_EVENTS,
        limits.default_sync_events,
        &c::MAX_SYNC_EVENTS,
        limits.max_sync_events,
    )?;
    at_most(&c::DEFAULT_PAGE_ITEMS, limits.default_page_items, &c::MAX_PAGE_ITEMS, limits.max_page_items)?;
    Ok(limits)
}

fn chat(read: &mut Reader<'_>) -> Result<ChatSettings, SettingsError> {
    Ok(ChatSettings {
        send_timeout: millis(read, &c::SEND_TIMEOUT_MS)?,
        presence_grace: millis(read, &c::PRESENCE_GRACE_MS)?,
        typing_timeout: millis(read, &c::TYPING_TIMEOUT_MS)?,
        cached_users: read.integer(&c::CACHED_USERS)?,
        edit_window: Duration::from_secs(read.integer(&c::EDIT_WINDOW_SECONDS)?),
        presence_audience: audience(read)?,
        max_contacts: read.integer(&c::MAX_CONTACTS)?,
        // Whether others write to the store as well is known where it is opened.
        blocks_fresh_for: None,
    })
}

fn audience(read: &mut Reader<'_>) -> Result<PresenceAudience, SettingsError> {
    let word = read.choice(&c::PRESENCE_AUDIENCE)?;
    if word.is_none() {
        read.assume(c::PRESENCE_AUDIENCE.name, "everyone");
    }
    Ok(if word == Some("contacts") { PresenceAudience::Contacts } else { PresenceAudience::Everyone })
}

fn transport(
    read: &mut Reader<'_>,
    environment: Environment,
    limits: &Limits,
    limited: bool,
) -> Result<chat_transport::Settings, SettingsError> {
    let settings = chat_transport::Settings::default();
    let max_sockets_per_address = read.integer(&c::MAX_SOCKETS_PER_ADDRESS)?;
    let connect_timeout = millis(read, &c::CONNECT_TIMEOUT_MS)?;
    let (max_payload, outbox_bytes): (usize, usize) =
        (read.integer(&c::MAX_PAYLOAD_BYTES)?, read.integer(&c::OUTBOX_BYTES)?);
    // Less would not hold what one client may send, or leave unread, beside another.
    let incoming_bytes = read.integer::<usize>(&c::INCOMING_BYTES)?.max(max_payload.saturating_mul(2));
    let outgoing_bytes = read.integer::<usize>(&c::OUTGOING_BYTES)?.max(outbox_bytes.saturating_mul(2));
    Ok(chat_transport::Settings {
        engine: chat_transport::EngineConfig {
            ping_interval: millis(read, &c::PING_INTERVAL_MS)?,
            ping_timeout: millis(read, &c::PING_TIMEOUT_MS)?,
            connect_timeout,
            upgrade_timeout: connect_timeout,
            attachments_timeout: connect_timeout,
            max_payload,
            max_attachments: read.integer(&c::MAX_ATTACHMENTS)?,
            max_args: read.integer(&c::MAX_ARGS)?,
            max_depth: read.integer(&c::MAX_DEPTH)?,
            ..settings.engine
        },
        outbox_bytes,
        incoming_bytes,
        outgoing_bytes,
        max_sockets_per_user: read.integer(&c::MAX_SOCKETS_PER_USER)?,
        max_sockets_per_address: if limited { max_sockets_per_address } else { usize::MAX },
        recovery_window: millis(read, &c::RECOVERY_WINDOW_MS)?,
        max_sends_in_flight: read.integer(&c::MAX_SENDS_IN_FLIGHT)?,
        max_queued_events: read.integer(&c::MAX_QUEUED_EVENTS)?,
        send_timeout: millis(read, &c::SEND_TIMEOUT_MS)?,
        max_body_bytes: read.integer(&c::MAX_BODY_BYTES)?,
        body_timeout: millis(read, &c::BODY_TIMEOUT_MS)?,
        origins: origins(read, environment)?,
        trusted_proxies: trusted_proxies(read)?,
        query_token: read.switch(&c::QUERY_TOKEN)?,
        users_list: read.switch(&c::USERS_LIST)?,
        limits: limits.clone(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn trusted_proxies(read: &mut Reader<'_>) -> Result<TrustedProxies, SettingsError> {
    let name = c::TRUSTED_PROXIES.name;
    TrustedProxies::parse(read.text(&c::TRUSTED_PROXIES).unwrap_or_default()).map_err(|wrong| {
        SettingsError::new(name, format!("{wrong:?} is no address and no network such as 10.0.0.0/8"))
    })
}

/// The origins as browsers write them: scheme, host and port, without a path or a slash at the end.
fn origins(read: &mut Reader<'_>, environment: Environment) -> Result<Origins, SettingsError> {
    let Some(given) = read.text(&c::CORS_ORIGINS) else {
        return Ok(match environment {
            Environment::Development => Origins::Localhost,
            Environment::Production => Origins::SameOrigin,
        });
    };
    if given.trim() == "*" {
        return Ok(Origins::Any);
    }
    let list: HashSet<_> = given.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    match list.iter().find(|origin| !is_origin(origin)) {
        Some(wrong) => Err(SettingsError::new(
            c::CORS_ORIGINS.name,
            format!("{wrong:?} is not an origin: write scheme://host[:port] in lower case, without a path"),
        )),
        None => Ok(Origins::List(list.into_iter().map(str::to_owned).collect())),
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    !scheme.is_empty()
        && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
        && !authority.is_empty()
        && authority.chars().all(host)
}

fn log(read: &mut Reader<'_>, environment: Environment) -> Result<LogSettings, SettingsError> {
    let format = read.choice(&c::LOG_FORMAT)?;
    let json = format.map_or(environment == Environment::Production, |format| format == "json");
    if format.is_none() {
        read.assume(c::LOG_FORMAT.name, if json { "json" } else { "pretty" });
    }
    let level = read.choice(&c::LOG_LEVEL)?;
    if level.is_none() {
        read.assume(c::LOG_LEVEL.name, "info");
    }
    let filter = read.text(&c::RUST_LOG).or(level).unwrap_or("info").to_owned();
    crate::logging::check(&filter).map_err(|reason| SettingsError::new(c::RUST_LOG.name, reason))?;
    Ok(LogSettings { json, filter })
}

fn drain(read: &mut Reader<'_>) -> Result<Drain, SettingsError> {
    let drain =
        Drain { grace: millis(read, &c::DRAIN_GRACE_MS)?, deadline: millis(read, &c::DRAIN_DEADLINE_MS)? };
    if drain.grace >= drain.deadline {
        return Err(SettingsError::new(c::DRAIN_GRACE_MS.name, "must be less than DRAIN_DEADLINE_MS"));
    }
    Ok(drain)
}

fn millis(read: &mut Reader<'_>, setting: &Integer) -> Result<Duration, SettingsError> {
    read.integer(setting).map(Duration::from_millis)
}

/// The number given; for 0 that of the cores, up to `most`.
fn or_cores(given: usize, most: usize) -> usize {
    match given {
        0 => thread::available_parallelism().map_or(1, usize::from).min(most),
        number => number,
    }
}

fn at_most<T: PartialOrd>(low: &Integer, least: T, high: &Integer, most: T) -> Result<(), SettingsError> {
    if least > most {
        return Err(SettingsError::new(low.name, format!("must be at most {}", high.name)));
    }
    Ok(())
}
