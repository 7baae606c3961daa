//! The target [`vino_sandbox_fuzz::verify_bytes`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vino_sandbox_fuzz::verify_bytes(data);
});
