//! Connection strings, as far as tests change them.

/// The same server with another database. Where the connection string names a user, the database that it named (or
/// `admin`) goes on to be the one that the user is looked up in.
#[must_use]
pub fn with_database(uri: &str, database: &str) -> String {
    let (address, query) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = address.split_once("://").expect("a connection string has a scheme");
    let (hosts, before) = rest.split_once('/').unwrap_or((rest, ""));
    let mut options: Vec<_> =
        query.split('&').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    let names_source = options.iter().any(|option| option.to_lowercase().starts_with("authsource="));
    if hosts.contains('@') && !names_source {
        options.push(format!("authSource={}", if before.is_empty() { "admin" } else { before }));
    }
    let query = if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
    format!("{scheme}://{hosts}/{database}{query}")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn a_database_is_put_in_and_the_rest_kept() {
        for (given, expected) in [
            ("mongodb://h:1", "mongodb://h:1/t"),
            ("mongodb://h:1/", "mongodb://h:1/t"),
            ("mongodb://h:1,g:2/old?replicaSet=r", "mongodb://h:1,g:2/t?replicaSet=r"),
            ("mongodb://u:p@h/old", "mongodb://u:p@h/t?authSource=old"),
            ("mongodb+srv://u:p@h/?authSource=x&w=1", "mongodb+srv://u:p@h/t?authSource=x&w=1"),
            ("mongodb://u:p@h", "mongodb://u:p@h/t?authSource=admin"),
        ] {
            assert_eq!(with_database(given, "t"), expected);
        }
    }
}
