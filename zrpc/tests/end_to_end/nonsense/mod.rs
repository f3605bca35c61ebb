//! Every option of every builder, with each value that makes no sense, and with extreme ones that do.

mod clients;
mod extremes;
mod one_way;
mod servers;
mod sockets;
mod table;
