//! The command line.

use std::path::PathBuf;

use chat_domain::model::UserId;
use clap::{Args, Parser, Subcommand};

use crate::{
    commands,
    failure::Failure,
    migrate, moving, serve,
    settings::{Settings, Sources},
    verify,
};

/// A real-time chat server. Settings come from the environment, then `.env`, then a TOML file.
#[derive(Parser)]
#[command(name = "chat-server", version)]
struct Cli {
    /// A TOML file with settings; the environment and `.env` win over it. Also: CONFIG_FILE.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server. This is what happens without a command.
    Serve,
    /// Check the settings, show them and where they come from, and exit. Starts nothing.
    CheckConfig {
        /// Instead, print the table of all settings there are, as Markdown.
        #[arg(long)]
        manual: bool,
    },
    /// Print a new secret for `JWT_SECRET`.
    GenSecret,
    /// Print an access token for a user.
    GenToken(TokenFor),
    /// Play people with several devices against a running server, and say whether a message was lost, doubled or reordered.
    Verify(verify::Verify),
    /// Work on accounts.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Bring the database of `MONGODB_URI` up to date, as every start does. May run while servers do.
    Migrate {
        /// Show what would be done, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Show which migrations are applied.
        #[arg(long, conflicts_with = "dry_run")]
        status: bool,
    },
    /// Back the store up into one new file, while the server runs or not.
    Backup {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
    /// Restore a backup into `DATA_DIR`, which must hold no store. No server may run on it.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Export everything that the store holds into one new file, to be imported into a store of any kind. No
    /// server may run on it. Interrupted, the same command goes on.
    Export {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
    /// Import an exported file into the store, which must be empty. No server may run on it. Interrupted, the
    /// same command goes on.
    Import {
        /// The exported file.
        file: PathBuf,
    },
}

/// For whom a token is, and how long.
#[derive(Args)]
pub(crate) struct TokenFor {
    /// The user's name; looked up in the store.
    #[arg(required_unless_present = "id")]
    pub(crate) username: Option<String>,
    /// The user's id instead; nothing is looked up, and the name, if given, is taken as it is.
    #[arg(long)]
    pub(crate) id: Option<UserId>,
    /// How long it is good for, in seconds. Default: `TOKEN_TTL_SECONDS`.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=315_360_000))]
    pub(crate) ttl: Option<u64>,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add an account. Its password is read from standard input.
    Add {
        /// Its username.
        username: String,
        /// Its e-mail address.
        email: String,
    },
}

/// Parses the command line and does what it says.
///
/// # Errors
/// The command failed.
pub(crate) fn run() -> Result<(), Failure> {
    let Cli { config, command } = Cli::parse();
    let settings =
        || -> Result<Settings, Failure> { Ok(Settings::load(&Sources::read(config.as_deref())?)?) };
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings()?),
        Command::CheckConfig { manual: true } => commands::manual(),
        Command::CheckConfig { manual: false } => commands::check_config(&settings()?),
        Command::GenSecret => commands::gen_secret(),
        Command::GenToken(whose) => commands::gen_token(&settings()?, whose),
        Command::Verify(asked) => verify::run(&asked, settings),
        Command::User { command: UserCommand::Add { username, email } } => {
            commands::add_user(&settings()?, username, email)
        }
        Command::Migrate { status: true, .. } => migrate::status(&settings()?),
        Command::Migrate { dry_run: true, .. } => migrate::dry_run(&settings()?),
        Command::Migrate { .. } => migrate::apply(&settings()?),
        Command::Backup { file } => commands::backup(&settings()?, file),
        Command::Restore { file } => commands::restore(&settings()?, &file),
        Command::Export { file } => moving::export(&settings()?, &file),
        Command::Import { file } => moving::import(&settings()?, &file),
    }
}
