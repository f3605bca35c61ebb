//! The options of a proxy, whose two sides are secured each by itself.

use std::path::PathBuf;

use clap::Args;
use thiserror::Error;
use zrpc::security::Security;

use super::choose::choose;
use super::client::ClientSecurity;
use super::error::SecurityError;
use super::server::ServerSecurity;

/// One side of a proxy, and how its connections are secured.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    name: &'static str,
    client: ClientSecurity,
    server: ServerSecurity,
}

/// Keys or passwords of one side cannot be used.
#[derive(Debug, Error)]
#[error("the options that begin with --{side}-: {source}")]
pub(crate) struct SideSecurityError {
    side: &'static str,
    source: SecurityError,
}

impl Side {
    /// Reads keys and passwords.
    ///
    /// # Errors
    ///
    /// [`SideSecurityError`] says which, and of which side.
    pub(crate) async fn security(&self) -> Result<Security, SideSecurityError> {
        choose(&self.client, &self.server)
            .await
            .map_err(|source| SideSecurityError {
                side: self.name,
                source,
            })
    }

    /// Whether it decides whom to let in.
    pub(crate) fn lets_in(&self) -> bool {
        self.server.is_asked_for()
    }

    /// Whether there are any options of it.
    pub(crate) fn is_secured(&self) -> bool {
        self.lets_in() || self.client.is_asked_for()
    }
}

/// Defines the options of one side. They are those of [`ClientSecurity`] and [`ServerSecurity`], with
/// the name of the side in front; clap cannot put it there.
macro_rules! side_options {
    ($(#[$docs:meta])* $name:ident, $side:literal, $heading:literal) => {
        $(#[$docs])*
        #[derive(Args, Clone, Debug)]
        pub(crate) struct $name {
            /// Encrypt with CURVE: the public key of the server there, as Z85 or as a certificate
            /// file.
            #[arg(
                id = concat!($side, "-server-key"), long = concat!($side, "-server-key"),
                value_name = "key", help_heading = $heading
            )]
            server_key: Option<String>,

            /// The certificate file with our own secret key to show there; without it, a new key
            /// is made.
            #[arg(
                id = concat!($side, "-secret-key-file"), long = concat!($side, "-secret-key-file"),
                value_name = "file", help_heading = $heading
            )]
            secret_key_file: Option<PathBuf>,

            /// Show a user name there, and the password in the file (PLAIN, which encrypts nothing).
            #[arg(
                id = concat!($side, "-plain"), long = concat!($side, "-plain"),
                value_name = "user:password-file", help_heading = $heading
            )]
            plain: Option<String>,

            /// Encrypt with CURVE: the certificate file with our own secret key.
            #[arg(
                id = concat!($side, "-curve-secret"), long = concat!($side, "-curve-secret"),
                value_name = "file", help_heading = $heading
            )]
            curve_secret: Option<PathBuf>,

            /// Let in the keys whose certificates are files in this directory.
            #[arg(
                id = concat!($side, "-authorized-keys"), long = concat!($side, "-authorized-keys"),
                value_name = "directory", conflicts_with = concat!($side, "-any-key"),
                help_heading = $heading
            )]
            authorized_keys: Option<PathBuf>,

            /// Let in every key: nobody listens in, and everybody may come.
            #[arg(
                id = concat!($side, "-any-key"), long = concat!($side, "-any-key"),
                help_heading = $heading
            )]
            any_key: bool,

            /// Ask for a user name and a password (PLAIN, which encrypts nothing): a file with a
            /// line user:password for each.
            #[arg(
                id = concat!($side, "-passwords"), long = concat!($side, "-passwords"),
                value_name = "file", help_heading = $heading
            )]
            passwords: Option<PathBuf>,
        }

        impl From<$name> for Side {
            fn from(options: $name) -> Self {
                Self {
                    name: $side,
                    client: ClientSecurity {
                        server_key: options.server_key,
                        secret_key_file: options.secret_key_file,
                        plain: options.plain,
                    },
                    server: ServerSecurity {
                        curve_secret: options.curve_secret,
                        authorized_keys: options.authorized_keys,
                        any_key: options.any_key,
                        passwords: options.passwords,
                    },
                }
            }
        }
    };
}

side_options! {
    /// How the connections of the frontend are secured.
    FrontendSecurity, "frontend", "Security of the frontend"
}

side_options! {
    /// How the connections of the backend are secured.
    BackendSecurity, "backend", "Security of the backend"
}
