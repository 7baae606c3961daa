//! The target [`vino_sandbox_fuzz::verify_object`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vino_sandbox_fuzz::verify_object(data);
});
