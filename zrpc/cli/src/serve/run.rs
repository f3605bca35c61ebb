//! One call: a program runs, and what it prints becomes a result.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use rmpv::Value;
use tokio::time::{Instant, timeout_at};
use zrpc::Fault;

use super::child::Running;
use super::options::ResultForm;
use super::program::{Program, Rules};
use crate::params::parse_json;

/// Runs a program for its one result.
pub(super) async fn value(
    program: Arc<Program>,
    rules: Arc<Rules>,
    params: Vec<Value>,
) -> Result<Value, Fault> {
    let mut run = Run::start(program, rules, params)?;
    let mut output = Vec::new();
    while run.read(&mut output).await? > 0 {
        run.check_len(output.len())?;
    }
    let (program, rules) = run.finish().await?;
    match rules.result {
        ResultForm::Json => json(&program, &output),
        ResultForm::Bytes => Ok(Value::Binary(output)),
        ResultForm::Text | ResultForm::Lines | ResultForm::JsonLines => Ok(text(output)),
    }
}

/// Runs a program for the lines that it prints.
pub(super) fn items(
    program: Arc<Program>,
    rules: Arc<Rules>,
    params: Vec<Value>,
) -> impl Stream<Item = Result<Value, Fault>> + Send {
    let lines = Lines::Unstarted {
        program,
        rules,
        params,
    };
    stream::unfold(lines, |mut lines| async move {
        let item = lines.next().await;
        if matches!(item, Ok(None) | Err(_)) {
            lines = Lines::Ended;
        }
        item.transpose().map(|item| (item, lines))
    })
}

/// The lines of a program as they come.
#[derive(Debug)]
enum Lines {
    Unstarted {
        program: Arc<Program>,
        rules: Arc<Rules>,
        params: Vec<Value>,
    },
    Reading {
        run: Box<Run>,
        /// What was read and belongs to no line yet.
        rest: Vec<u8>,
        /// How much of that has no line end in it.
        searched: usize,
    },
    Ended,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Value>, Fault> {
        if let Self::Unstarted {
            program,
            rules,
            params,
        } = self
        {
            let run = Run::start(
                Arc::clone(program),
                Arc::clone(rules),
                std::mem::take(params),
            )?;
            *self = Self::Reading {
                run: Box::new(run),
                rest: Vec::new(),
                searched: 0,
            };
        }
        let Self::Reading {
            run,
            rest,
            searched,
        } = self
        else {
            return Ok(None);
        };
        loop {
            let fresh = rest.get(*searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|&byte| byte == b'\n') {
                let len = *searched + at + 1;
                run.check_len(len)?;
                let line = rest.drain(..len).collect();
                *searched = 0;
                return run.item(line).map(Some);
            }
            *searched = rest.len();
            run.check_len(rest.len())?;
            if run.read(rest).await? == 0 {
                break;
            }
        }
        // The last line need not be ended.
        let line = std::mem::take(rest);
        let last = match line.is_empty() {
            true => None,
            false => Some(run.item(line)?),
        };
        let Self::Reading { run, .. } = std::mem::replace(self, Self::Ended) else {
            return Ok(last);
        };
        run.finish().await?;
        Ok(last)
    }
}

/// A program that runs for a call.
#[derive(Debug)]
struct Run {
    running: Running,
    program: Arc<Program>,
    rules: Arc<Rules>,
    deadline: Option<Instant>,
}

impl Run {
    fn start(program: Arc<Program>, rules: Arc<Rules>, params: Vec<Value>) -> Result<Self, Fault> {
        let input = program.input(&rules, params)?;
        let running = Running::start(&program, &rules, input);
        let running = running.map_err(|error| failed(&program, &error))?;
        Ok(Self {
            running,
            deadline: rules.timeout.map(|timeout| Instant::now() + timeout),
            program,
            rules,
        })
    }

    async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<usize, Fault> {
        buffer.reserve(CHUNK);
        let read = self.running.read(buffer);
        let read = match self.deadline {
            None => read.await,
            Some(deadline) => match timeout_at(deadline, read).await {
                Ok(read) => read,
                Err(_) => return Err(too_long(&self.program, self.rules.timeout)),
            },
        };
        read.map_err(|error| failed(&self.program, &error))
    }

    /// Fails if the program did.
    async fn finish(self) -> Result<(Arc<Program>, Arc<Rules>), Fault> {
        let finished = self.running.finish();
        let finished = match self.deadline {
            None => finished.await,
            Some(deadline) => match timeout_at(deadline, finished).await {
                Ok(finished) => finished,
                Err(_) => return Err(too_long(&self.program, self.rules.timeout)),
            },
        };
        let (status, stderr) = finished.map_err(|error| failed(&self.program, &error))?;
        match status.success() {
            true => Ok((self.program, self.rules)),
            false => Err(unsuccessful(&self.program, status, &stderr)),
        }
    }

    fn check_len(&self, len: usize) -> Result<(), Fault> {
        if len as u64 <= self.rules.max_output {
            return Ok(());
        }
        let (method, limit) = (&self.program.method, self.rules.max_output);
        let text = format!("{method} printed more than {limit} bytes");
        Err(Fault::new("OverflowError", text))
    }

    fn item(&self, line: Vec<u8>) -> Result<Value, Fault> {
        match self.rules.result {
            ResultForm::JsonLines => json(&self.program, &line),
            _ => Ok(text(line)),
        }
    }
}

/// A text without the end of its last line; bytes if it is none.
fn text(mut output: Vec<u8>) -> Value {
    if output.last() == Some(&b'\n') {
        output.pop();
        if output.last() == Some(&b'\r') {
            output.pop();
        }
    }
    match String::from_utf8(output) {
        Ok(text) => Value::from(text),
        Err(error) => Value::Binary(error.into_bytes()),
    }
}

fn json(program: &Program, output: &[u8]) -> Result<Value, Fault> {
    let text = String::from_utf8_lossy(output);
    parse_json(&text).map_err(|error| {
        let text = format!("{} printed no JSON: {error}", program.method);
        Fault::new("ValueError", text)
    })
}

fn failed(program: &Program, error: &io::Error) -> Fault {
    Fault::new("OSError", format!("{}: {error}", program.method))
}

fn too_long(program: &Program, timeout: Option<Duration>) -> Fault {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    let text = format!("{} was stopped after {seconds} seconds", program.method);
    Fault::new("TimeoutExpired", text)
}

/// What Python's `subprocess` calls a program that exits with another code than 0.
fn unsuccessful(program: &Program, status: ExitStatus, stderr: &str) -> Fault {
    let method = &program.method;
    let text = match (status.code(), stderr) {
        (Some(code), "") => format!("{method} exited with {code}"),
        (Some(code), _) => format!("{method} exited with {code}: {stderr}"),
        (None, "") => format!("{method} was killed ({status})"),
        (None, _) => format!("{method} was killed ({status}): {stderr}"),
    };
    Fault::new("CalledProcessError", text)
}

/// How much is read at a time, in octets.
const CHUNK: usize = 16 * 1024;
