//! The examples run to their end, and what they assert holds.

#[path = "../../examples/blocking.rs"]
mod blocking;
#[path = "../../examples/broker.rs"]
mod broker;
#[path = "../../examples/lazy_pirate.rs"]
mod lazy_pirate;
#[path = "../../examples/paranoid_pirate.rs"]
mod paranoid_pirate;

#[path = "../../examples/last_value_cache.rs"]
mod last_value_cache;
#[path = "../../examples/pub_sub_proxy.rs"]
mod pub_sub_proxy;

use std::error::Error;

#[test]
fn a_question_is_answered_without_a_runtime() -> Result<(), Box<dyn Error>> {
    blocking::main()
}

#[test]
fn a_broker_brings_clients_and_services_together() -> Result<(), Box<dyn Error + Send + Sync>> {
    broker::main()
}

#[test]
fn a_lazy_pirate_outlives_the_crashes_of_its_server() -> Result<(), Box<dyn Error>> {
    lazy_pirate::main()
}

#[test]
fn a_paranoid_pirate_outlives_the_crashes_of_its_workers() -> Result<(), Box<dyn Error>> {
    paranoid_pirate::main()
}

#[test]
fn a_late_subscriber_gets_the_last_value() -> Result<(), Box<dyn Error + Send + Sync>> {
    last_value_cache::main()
}

#[test]
fn publishers_and_subscribers_meet_at_a_proxy() -> Result<(), Box<dyn Error + Send + Sync>> {
    pub_sub_proxy::main()
}
