//! Names the architecture for the program, and makes the gRPC service of the tonic contender, which is described here instead of in a
//! `.proto` file, so that no protobuf compiler is needed.

fn main() {
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    println!("cargo::rustc-env=BENCH_ARCHITECTURE={architecture}");
    #[cfg(feature = "rpc-rivals")]
    service();
}

#[cfg(feature = "rpc-rivals")]
fn service() {
    use tonic_build::manual::{Builder, Method, Service};

    const CODEC: &str = "tonic_prost::ProstCodec";
    const MESSAGES: &str = "crate::contender::tonic_peer";
    let echo = Method::builder()
        .name("echo")
        .route_name("Echo")
        .input_type(format!("{MESSAGES}::Text"))
        .output_type(format!("{MESSAGES}::Text"))
        .codec_path(CODEC)
        .build();
    let count = Method::builder()
        .name("count")
        .route_name("Count")
        .input_type(format!("{MESSAGES}::Number"))
        .output_type(format!("{MESSAGES}::Number"))
        .codec_path(CODEC)
        .server_streaming()
        .build();
    let service = Service::builder()
        .name("Bench")
        .package("bench")
        .method(echo)
        .method(count)
        .build();
    Builder::new().compile(&[service]);
}
