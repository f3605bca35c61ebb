//! Hands the places of libsodium on to the crate.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (variable, name) in [
        ("DEP_SODIUM_LIB", "SODIUM_LIB"),
        ("DEP_SODIUM_INCLUDE", "SODIUM_INCLUDE"),
    ] {
        let place = std::env::var(variable).expect("libsodium-sys-stable says where it built to");
        println!("cargo::rustc-env={name}={place}");
    }
}
