//! Messages that go with the coming and going of peers.

use super::Builder;
use crate::message::Message;
use crate::socket::TwoWay;

impl<S: TwoWay> Builder<S> {
    /// Sends `message` first on each connection. Default: none.
    ///
    /// A message without parts is none.
    pub fn hello_message(mut self, message: impl Into<Message>) -> Self {
        self.options.notices.hello = some(message.into());
        self
    }

    /// Receives `message`, as if the peer had sent it last, when the connection of an accepted peer
    /// has ended. Default: none.
    ///
    /// A message without parts is none.
    pub fn disconnect_message(mut self, message: impl Into<Message>) -> Self {
        self.options.notices.departure = some(message.into());
        self
    }

    /// Receives `message`, as if the peer had sent it, when a connection that this socket made is
    /// lost, before it is made again. Default: none.
    ///
    /// A message without parts is none.
    pub fn hiccup_message(mut self, message: impl Into<Message>) -> Self {
        self.options.notices.hiccup = some(message.into());
        self
    }
}

fn some(message: Message) -> Option<Message> {
    (!message.is_empty()).then_some(message)
}
