//! The methods of a service, and the three ways to print them.

use std::io::{self, Write};

use crate::render::{first_line, on_lines, on_one_line};
use crate::style::{Paint, Style};

/// A service and its methods, in the order in which it lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The name of the service.
    pub(super) service: String,
    /// Its methods.
    pub(super) methods: Vec<Method>,
}

/// One method of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// The name to call it by.
    pub(super) name: String,
    /// The arguments in parentheses, as far as they are known.
    pub(super) arguments: String,
    /// The documentation, if there is any.
    pub(super) doc: Option<String>,
}

impl Listing {
    /// Writes the names, and beside them the first line of the documentation.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn write_names(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        self.write_service(style, out)?;
        let names: Vec<_> = self.methods.iter().map(Method::shown_name).collect();
        let width = |name: &String| name.chars().count();
        let longest = names.iter().map(width).max().unwrap_or(0);
        for (name, method) in names.iter().zip(&self.methods) {
            let padding = " ".repeat(longest.min(WIDEST).saturating_sub(width(name)));
            let name = style.paint(Paint::Name, name);
            writeln!(out, "{name}{padding} {}", method.first_line())?;
        }
        Ok(())
    }

    /// Writes the signatures.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn write_signatures(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        self.write_service(style, out)?;
        for method in &self.methods {
            writeln!(out, "{}", method.signature(style))?;
        }
        Ok(())
    }

    /// Writes the signature and the whole documentation of a method.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn write_description(
        &self,
        name: &str,
        style: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.write_service(style, out)?;
        match self.methods.iter().find(|method| method.name == name) {
            Some(method) => {
                let doc = method.doc.as_deref().unwrap_or(UNDOCUMENTED);
                writeln!(out, "{}\n\n{}\n", method.signature(style), on_lines(doc))
            }
            None => writeln!(out, "No documentation for \"{name}\"."),
        }
    }

    fn write_service(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let service = format!("[{}]", on_one_line(&self.service));
        writeln!(out, "{}", style.paint(Paint::Heading, &service))
    }
}

impl Method {
    fn shown_name(&self) -> String {
        on_one_line(&self.name).into_owned()
    }

    fn signature(&self, style: Style) -> String {
        let name = self.shown_name();
        let name = style.paint(Paint::Name, &name);
        format!("{name}{}", on_one_line(&self.arguments))
    }

    fn first_line(&self) -> String {
        let doc = self.doc.as_deref().unwrap_or(UNDOCUMENTED);
        on_one_line(first_line(doc)).into_owned()
    }
}

/// What stands where there is no documentation.
const UNDOCUMENTED: &str = "<undocumented>";

/// No column is made wider than this, whatever a peer calls its methods.
const WIDEST: usize = 1024;
