//! The rules of the socket types that do not need a connection.
//!
//! Layer L2. Who may talk to whom ([`SocketType`]), how a peer is addressed ([`RoutingId`]),
//! which peers want a message ([`SubscriptionTrie`]), and which topics a subscriber asks for
//! ([`TopicCounts`]).

mod prefix_tree;
mod routing_id;
mod socket_type;
mod subscription_trie;
mod topic_counts;

pub use routing_id::{RoutingId, RoutingIdError};
pub use socket_type::{SocketType, UnknownSocketType};
#[cfg(feature = "socket")]
pub(crate) use subscription_trie::Audience;
pub use subscription_trie::{
    Cancelled, Released, Repeats, Subscribed, SubscriptionError, SubscriptionLimits,
    SubscriptionTrie,
};
pub use topic_counts::TopicCounts;
