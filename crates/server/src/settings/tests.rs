//! Settings by table: where they come from, what they may be, what is said of wrong ones.

use std::{collections::HashSet, ffi::OsString, fs, time::Duration};

use chat_transport::{Origins, TrustedProxies};

use super::{
    spec::{Setting, Unit},
    *,
};

const SECRET: &str = "f7d1c2a09b5e4f3d8c6a7b1e0d9f2c4b5a6e";

fn sources(variables: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    let given = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    sources.add_environment(given).unwrap();
    sources
}

fn load(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::load(&sources(variables))
}

/// The line that a wrong setting gets.
fn refusal(variables: &[(&str, &str)]) -> String {
    let line = load(variables).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn without_any_setting_the_defaults_are_the_contracts() {
    let settings = load(&[]).unwrap();
    assert_eq!(settings.environment, Environment::Development);
    assert_eq!((settings.listen.host.as_str(), settings.listen.port), ("0.0.0.0", 5_000));
    assert_eq!(settings.listen.header_timeout, Duration::from_secs(10));
    assert_eq!(settings.data_dir, PathBuf::from("./data"));
    assert_eq!(settings.bcrypt.cost, 12);
    assert_eq!(settings.token_ttl_seconds, 86_400);
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(settings.chat, ChatSettings::default());
    assert_eq!(settings.drain.grace, Duration::from_secs(1));
    assert_eq!(settings.drain.deadline, Duration::from_secs(10));
    assert_eq!(settings.log, LogSettings { json: false, filter: "info".into() });
    assert!(settings.secret.is_none());
    assert_eq!(settings.notices, [""; 0]);

    let (ours, theirs) = (settings.transport, chat_transport::Settings::default());
    assert_eq!(ours.engine, theirs.engine);
    assert_eq!(ours.origins, Origins::Localhost);
    let numbers = |s: &chat_transport::Settings| {
        let times = (s.send_timeout, s.body_timeout, s.recovery_window);
        (
            times,
            s.outbox_bytes,
            s.max_sockets_per_user,
            s.max_sockets_per_address,
            s.max_sends_in_flight,
            s.max_queued_events,
            s.max_body_bytes,
        )
    };
    assert_eq!(numbers(&ours), numbers(&theirs));
    assert_eq!((ours.query_token, ours.users_list), (theirs.query_token, theirs.users_list));
}

#[test]
fn every_setting_is_read_and_a_wrong_value_is_refused_by_its_name() {
    for setting in catalog::all() {
        let wrong = match setting {
            Setting::Integer(number) => {
                vec![(number.max + 1).to_string(), "many".into(), "+1".into(), "1.5".into()]
            }
            Setting::Switch(_) => vec!["maybe".into(), "ON".into()],
            Setting::Choice(_) => vec!["staging".into()],
            Setting::Text(_) => continue,
        };
        for value in wrong {
            let line = refusal(&[(setting.name(), &value)]);
            assert!(line.starts_with(&format!("{}: must be ", setting.name())), "{line}");
            assert!(line.ends_with("(environment)"), "{line}");
        }
        if let Setting::Integer(number) = setting
            && number.min > 0
        {
            let line = refusal(&[(number.name, &(number.min - 1).to_string())]);
            assert!(line.starts_with(number.name), "{line}");
        }
    }
}

#[test]
fn every_default_is_in_its_range_and_units_are_in_names() {
    let mut names: Vec<_> = catalog::all().map(Setting::name).collect();
    for setting in catalog::all() {
        let Setting::Integer(number) = setting else { continue };
        assert!((number.min..=number.max).contains(&number.default), "{}", number.name);
        let suffix = match number.unit {
            Unit::Count => continue,
            Unit::Millis => "_MS",
            Unit::Seconds => "_SECONDS",
            Unit::Bytes => "_BYTES",
            Unit::Chars => "_CHARS",
        };
        assert!(number.name.ends_with(suffix), "{}", number.name);
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "every name stands once");
}

#[test]
fn the_budgets_of_all_clients_hold_what_one_may_take() {
    let given = [("MAX_PAYLOAD_BYTES", "100000000"), ("OUTBOX_BYTES", "200000000")];
    let settings = load(&given).unwrap().transport;
    assert_eq!((settings.incoming_bytes, settings.outgoing_bytes), (200_000_000, 400_000_000));
}

#[test]
fn every_setting_given_is_shown_with_its_place_and_secrets_by_their_length() {
    let settings = load(&[("JWT_SECRET", SECRET), ("PORT", "0"), ("QUERY_TOKEN", "true")]).unwrap();
    let shown = |name| {
        let setting = settings.effective.iter().find(|setting| setting.name == name).unwrap();
        (setting.value.as_str(), setting.origin.to_string())
    };
    assert_eq!(shown("JWT_SECRET"), ("(36 bytes)", "environment".to_owned()));
    assert_eq!(shown("PORT"), ("0", "environment".to_owned()));
    assert_eq!(shown("QUERY_TOKEN"), ("on", "environment".to_owned()));
    assert_eq!(shown("APP_ENV"), ("development", "default".to_owned()));
    assert!(!format!("{settings:?}").contains(SECRET));
}

#[test]
fn the_environment_is_one_of_two_words_and_app_env_wins() {
    let environment = |variables: &[(&str, &str)]| load(variables).map(|settings| settings.environment);
    let secret = ("JWT_SECRET", SECRET);
    for (variables, expected) in [
        (vec![("NODE_ENV", "development")], Environment::Development),
        (vec![("NODE_ENV", "production"), secret], Environment::Production),
        (vec![("APP_ENV", "production"), ("NODE_ENV", "development"), secret], Environment::Production),
        (vec![("APP_ENV", "development"), ("NODE_ENV", "nonsense")], Environment::Development),
        (vec![("APP_ENV", ""), ("NODE_ENV", "production"), secret], Environment::Production),
    ] {
        assert_eq!(environment(&variables), Ok(expected), "{variables:?}");
    }
    for name in ["APP_ENV", "NODE_ENV"] {
        for word in ["test", "prod", "Production", "staging"] {
            let line = refusal(&[(name, word)]);
            assert!(line.starts_with(&format!("{name}: must be development or production, not")), "{line}");
        }
    }
}

#[test]
fn production_logs_json_and_lets_no_foreign_origin_in() {
    let settings = load(&[("APP_ENV", "production"), ("JWT_SECRET", SECRET)]).unwrap();
    assert!(settings.log.json);
    assert_eq!(settings.transport.origins, Origins::SameOrigin);
    assert_eq!(settings.secret.unwrap().expose(), SECRET.as_bytes());
}

#[test]
fn origins_are_a_list_or_a_star() {
    let origins = |value| load(&[("CORS_ORIGINS", value)]).map(|settings| settings.transport.origins);
    assert_eq!(origins("*"), Ok(Origins::Any));
    let two = HashSet::from(["https://a.example".to_owned(), "http://localhost:5173".to_owned()]);
    assert_eq!(origins(" https://a.example , http://localhost:5173,"), Ok(Origins::List(two)));
    for wrong in
        ["a.example", "https://", "https://a.example/", "https://A.example", "https://a b", "*, https://a"]
    {
        assert!(origins(wrong).unwrap_err().to_string().starts_with("CORS_ORIGINS: "), "{wrong}");
    }
}

#[test]
fn proxies_are_addresses_and_networks() {
    let settings = load(&[("TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).unwrap();
    assert_eq!(settings.transport.trusted_proxies, TrustedProxies::parse("10.0.0.0/8,::1").unwrap());
    let line = refusal(&[("TRUSTED_PROXIES", "10.0.0.0/8,nginx")]);
    assert_eq!(line, "TRUSTED_PROXIES: \"nginx\" is no address and no network such as 10.0.0.0/8");
}

#[test]
fn without_rates_an_address_may_have_any_number_of_sessions() {
    let settings = load(&[("RATE_LIMITS", "off"), ("MAX_SOCKETS_PER_ADDRESS", "5")]).unwrap();
    assert_eq!(settings.transport.max_sockets_per_address, usize::MAX);
    assert_eq!(load(&[("MAX_SOCKETS_PER_ADDRESS", "5")]).unwrap().transport.max_sockets_per_address, 5);
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    for (low, high, values) in [
        ("MIN_USERNAME_CHARS", "MAX_USERNAME_CHARS", ["33", "32"]),
        ("MIN_PASSWORD_BYTES", "MAX_PASSWORD_BYTES", ["10", "9"]),
        ("DEFAULT_PAGE_ITEMS", "MAX_PAGE_ITEMS", ["50", "49"]),
    ] {
        let line = refusal(&[(low, values[0]), (high, values[1])]);
        assert_eq!(line, format!("{low}: must be at most {high}"));
    }
    assert!(refusal(&[("DRAIN_GRACE_MS", "10000")]).starts_with("DRAIN_GRACE_MS: "));
}

#[test]
fn settings_of_features_to_come_are_said_or_refused_and_never_shown() {
    let uri = "redis://:hunter2@cache";
    let settings = load(&[("REDIS_URL", uri)]);
    let notices = settings.unwrap().notices;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0], "REDIS_URL is set, but this build has no Redis yet and is one node");
    assert!(notices.iter().all(|line| !line.contains("hunter2")));
    let line = refusal(&[("APP_ENV", "production"), ("JWT_SECRET", SECRET), ("REDIS_URL", uri)]);
    assert!(line.starts_with("REDIS_URL: is set, but") && !line.contains("hunter2"), "{line}");
}

#[test]
fn a_mongodb_uri_is_checked_and_never_shown() {
    let settings = load(&[("MONGODB_URI", "mongodb://user:hunter2@db/chat")]).unwrap();
    assert_eq!(settings.mongodb.as_ref().unwrap().database(), "chat");
    assert!(!format!("{settings:?}").contains("hunter2"));
    for wrong in
        ["mongodb://user:hunter2@db", "mongodb://user:hunter2@db/", "hunter2", "postgres://u:hunter2@db/chat"]
    {
        let line = refusal(&[("MONGODB_URI", wrong)]);
        assert!(line.starts_with("MONGODB_URI: ") && !line.contains("hunter2"), "{line}");
    }
}

#[test]
fn log_filters_are_checked() {
    assert_eq!(load(&[("LOG_LEVEL", "debug")]).unwrap().log.filter, "debug");
    let both = [("LOG_LEVEL", "debug"), ("RUST_LOG", "info,chat_transport=trace")];
    assert_eq!(load(&both).unwrap().log.filter, "info,chat_transport=trace");
    assert!(refusal(&[("RUST_LOG", "chat=loud")]).starts_with("RUST_LOG: "));
}

#[test]
fn the_environment_wins_over_dotenv_and_dotenv_over_toml() {
    let folder = tempfile::tempdir().unwrap();
    let (dotenv, toml) = (folder.path().join(".env"), folder.path().join("chat.toml"));
    fs::write(&dotenv, "PORT=2\nHOST=127.0.0.2\nUNRELATED=x\nnot a setting\n").unwrap();
    fs::write(&toml, "port = 3\nHOST = \"127.0.0.3\"\nbcrypt_cost = 5\nusers_list = false\ncors_origins = [\"https://a\", \"https://b\"]\n").unwrap();
    let mut sources = sources(&[("PORT", "1"), ("UNRELATED", "y")]);
    sources.add_dotenv(&dotenv).unwrap();
    sources.add_toml(&toml).unwrap();
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(settings.listen.port, 1);
    assert_eq!(settings.listen.host, "127.0.0.2");
    assert_eq!(settings.bcrypt.cost, 5);
    assert!(!settings.transport.users_list);
    assert!(matches!(settings.transport.origins, Origins::List(list) if list.len() == 2));
    assert_eq!(settings.notices, [format!("{}, line 4: not NAME=value, passed over", dotenv.display())]);
}

#[test]
fn a_toml_file_that_is_wrong_is_refused_with_its_line_and_without_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.toml");
    let line = |text: &str| {
        fs::write(&file, text).unwrap();
        Sources::default().add_toml(&file).unwrap_err().to_string()
    };
    let name = file.display();
    assert_eq!(line("port = 1\nprot = 2"), format!("{name}: there is no setting `prot`"));
    assert_eq!(
        line("port = 1\nPORT = 2"),
        format!("{name}: `PORT` stands there twice").replace("PORT", "port")
    );
    assert!(line("[server]\nport = 1").contains("no setting `server`"));
    assert!(line("port = 1.5").starts_with("PORT: must be"));
    let broken = line("port = 1\njwt_secret = hunter2\n");
    assert!(broken.starts_with(&format!("{name}: line 2: ")) && !broken.contains("hunter2"), "{broken}");
    assert!(Sources::default().add_toml(&folder.path().join("none.toml")).is_err());
}

#[test]
fn the_documentation_holds_the_table_of_the_code() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    let text = fs::read_to_string(file).unwrap();
    let table = markdown();
    assert!(
        text.contains(table.trim_end()),
        "docs/settings.md is behind the code: put the output of `chat-server check-config --manual` into it"
    );
}

#[test]
fn the_example_file_is_valid_and_of_the_seeds_names() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
    let mut sources = Sources::default();
    sources.add_dotenv(std::path::Path::new(file)).unwrap();
    assert_eq!(sources.notices(), [""; 0]);
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(settings.listen.port, 5_000);
    // The placeholder is fine on a desk, and stops a start in production.
    assert_eq!(settings.notices.len(), 1);
    let placeholder = sources.get("JWT_SECRET").unwrap().0.to_owned();
    assert!(placeholder.len() >= 32);
    let line = refusal(&[("APP_ENV", "production"), ("JWT_SECRET", &placeholder)]);
    assert!(line.starts_with("JWT_SECRET: is a well-known default"), "{line}");
}
