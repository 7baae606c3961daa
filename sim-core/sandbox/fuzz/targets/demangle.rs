//! The target [`vino_sandbox_fuzz::demangle`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vino_sandbox_fuzz::demangle(data);
});
