//! The options of a proxy, whose sides are secured each by itself.

use std::path::PathBuf;

use clap::Args;
use thiserror::Error;
use zrpc::security::Security;

use super::choose::choose;
use super::client::ClientSecurity;
use super::error::SecurityError;
use super::server::ServerSecurity;
use crate::args::request::{Link, UsageError};

/// One side of a proxy, or its capture, and how its connections are secured.
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

    /// Refuses to tell strangers a password.
    ///
    /// # Errors
    ///
    /// [`UsageError::PasswordForStrangers`], if there is a password to show and an address to
    /// listen on.
    pub(crate) fn check(&self, links: &[Link]) -> Result<(), UsageError> {
        let option = format!("--{}-plain", self.name);
        self.client.check(links, &option)
    }

    /// Whether there are any options of it.
    pub(crate) fn is_secured(&self) -> bool {
        self.server.is_asked_for() || self.client.is_asked_for()
    }

    /// What its options begin with, behind the dashes.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// Defines the options of one side that wants to come in elsewhere. They are those of
/// [`ClientSecurity`], with the name of the side in front; clap cannot put it there.
macro_rules! client_options {
    ($name:ident, $side:literal, $heading:literal) => {
        #[derive(Args, Clone, Debug)]
        struct $name {
            /// Encrypt with CURVE: the public key of the server there, as Z85 or as a certificate
            /// file.
            #[arg(
                id = concat!($side, "-server-key"), long = concat!($side, "-server-key"),
                value_name = "key", overrides_with = concat!($side, "-server-key"),
                help_heading = $heading
            )]
            server_key: Option<String>,

            /// The certificate file with our own secret key to show there; without it, a new key
            /// is made.
            #[arg(
                id = concat!($side, "-secret-key-file"), long = concat!($side, "-secret-key-file"),
                value_name = "file", overrides_with = concat!($side, "-secret-key-file"),
                help_heading = $heading
            )]
            secret_key_file: Option<PathBuf>,

            /// Show a user name there, and the password in the file (PLAIN, which encrypts nothing).
            #[arg(
                id = concat!($side, "-plain"), long = concat!($side, "-plain"),
                value_name = "user:password-file", overrides_with = concat!($side, "-plain"),
                help_heading = $heading
            )]
            plain: Option<String>,
        }

        impl From<$name> for ClientSecurity {
            fn from(options: $name) -> Self {
                Self {
                    server_key: options.server_key,
                    secret_key_file: options.secret_key_file,
                    plain: options.plain,
                }
            }
        }
    };
}

/// Defines the options of one side that lets others in, which are those of [`ServerSecurity`] in the
/// same way.
macro_rules! server_options {
    ($name:ident, $side:literal, $heading:literal) => {
        #[derive(Args, Clone, Debug)]
        struct $name {
            /// Encrypt with CURVE: the certificate file with our own secret key.
            #[arg(
                id = concat!($side, "-curve-secret"), long = concat!($side, "-curve-secret"),
                value_name = "file", overrides_with = concat!($side, "-curve-secret"),
                help_heading = $heading
            )]
            curve_secret: Option<PathBuf>,

            /// Let in the keys whose certificates are files in this directory.
            #[arg(
                id = concat!($side, "-authorized-keys"), long = concat!($side, "-authorized-keys"),
                value_name = "directory", overrides_with = concat!($side, "-authorized-keys"),
                conflicts_with = concat!($side, "-any-key"), help_heading = $heading
            )]
            authorized_keys: Option<PathBuf>,

            /// Let in every key: nobody listens in, and everybody may come.
            #[arg(
                id = concat!($side, "-any-key"), long = concat!($side, "-any-key"),
                overrides_with = concat!($side, "-any-key"), help_heading = $heading
            )]
            any_key: bool,

            /// Ask for a user name and a password (PLAIN, which encrypts nothing): a file with a
            /// line user:password for each.
            #[arg(
                id = concat!($side, "-passwords"), long = concat!($side, "-passwords"),
                value_name = "file", overrides_with = concat!($side, "-passwords"),
                help_heading = $heading
            )]
            passwords: Option<PathBuf>,
        }

        impl From<$name> for ServerSecurity {
            fn from(options: $name) -> Self {
                Self {
                    curve_secret: options.curve_secret,
                    authorized_keys: options.authorized_keys,
                    any_key: options.any_key,
                    passwords: options.passwords,
                }
            }
        }
    };
}

client_options!(FrontendClient, "frontend", "Security of the frontend");
server_options!(FrontendServer, "frontend", "Security of the frontend");
client_options!(BackendClient, "backend", "Security of the backend");
server_options!(BackendServer, "backend", "Security of the backend");
server_options!(CaptureServer, "capture", "Security of the capture");

/// How the connections of the frontend are secured.
#[derive(Args, Clone, Debug)]
pub(crate) struct FrontendSecurity {
    #[command(flatten)]
    client: FrontendClient,
    #[command(flatten)]
    server: FrontendServer,
}

/// How the connections of the backend are secured.
#[derive(Args, Clone, Debug)]
pub(crate) struct BackendSecurity {
    #[command(flatten)]
    client: BackendClient,
    #[command(flatten)]
    server: BackendServer,
}

/// Who gets copies. Whoever does comes here, so there are no options to come in elsewhere.
#[derive(Args, Clone, Debug)]
pub(crate) struct CaptureSecurity {
    #[command(flatten)]
    server: CaptureServer,
}

impl From<FrontendSecurity> for Side {
    fn from(options: FrontendSecurity) -> Self {
        Self {
            name: "frontend",
            client: options.client.into(),
            server: options.server.into(),
        }
    }
}

impl From<BackendSecurity> for Side {
    fn from(options: BackendSecurity) -> Self {
        Self {
            name: "backend",
            client: options.client.into(),
            server: options.server.into(),
        }
    }
}

impl From<CaptureSecurity> for Side {
    fn from(options: CaptureSecurity) -> Self {
        Self {
            name: "capture",
            client: ClientSecurity::default(),
            server: options.server.into(),
        }
    }
}
