//! Small objects as compilers and misfit make them, to be changed.

use std::path::Path;
use std::process::Command;

use misfit::Options;

/// Programs with the shapes of code that matter: loops, calls through pointers, switches, strings,
/// frames of variable size, vectors, atomics. Each imports `ask` or nothing.
const PROGRAMS: [&str; 6] = [
    "unsigned long ask(unsigned long);
     unsigned long run(unsigned long *p, unsigned n) {
         unsigned long sum = 0;
         for (unsigned i = 0; i < (n & 7); i++) { sum += p[i]; p[i] = ask(sum); }
         return sum;
     }",
    "typedef unsigned long (*fn)(unsigned long);
     static unsigned long one(unsigned long x) { return x + 1; }
     static unsigned long two(unsigned long x) { return x * 3; }
     fn table[2] = { one, two };
     unsigned long run(unsigned long x) { return table[x & 1](x) + table[0](x); }",
    "unsigned long run(unsigned long x) {
         switch (x & 15) {
         case 0: return 7; case 1: return x * 5; case 2: return x ^ 99; case 3: return x >> 3;
         case 4: return x + 1; case 5: return 12; case 6: return x * x; case 9: return ~x;
         case 11: return x & 255; default: return x; }
     }",
    "unsigned long run(unsigned n, char *p) {
         char a[(n & 63) + 1];
         for (unsigned i = 0; i <= (n & 63); i++) a[i] = (char)(i * n);
         __builtin_memcpy(p, a, 48 < (n & 63) ? 48 : 1);
         struct { char b[96]; } s; __builtin_memset(&s, n, sizeof s);
         __asm__ volatile(\"\" : : \"r\"(&s), \"r\"(a) : \"memory\");
         return a[n & 63] + s.b[n % 96];
     }",
    "float v[64]; double w[8];
     float run(float *p, int n) {
         float sum = 0;
         for (int i = 0; i < 64; i++) { v[i] = v[i] * 1.5f + (float)n; sum += v[i]; }
         for (int i = 0; i < 8; i++) w[i] = sum / (i + 1) + (p != 0);
         return sum + (float)w[3];
     }",
    "unsigned long total; unsigned char bytes[64];
     unsigned long fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
     unsigned long run(unsigned long x) {
         __atomic_fetch_add(&total, x, __ATOMIC_SEQ_CST);
         __atomic_compare_exchange_n(&total, &x, 5, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
         bytes[x & 63] ^= __builtin_popcountl(x);
         return fib(4) + total + (unsigned long)(((unsigned __int128)x * total) >> 64);
     }",
];

/// Flags by which each program is compiled, once for each row.
const VARIANTS: [&[&str]; 4] = [
    &["-O0"],
    &["-O2"],
    &["-Os"],
    &["-O3", "-mavx2", "-mfma", "-mbmi", "-mbmi2"],
];
const FLAGS: [&str; 9] = [
    "-S",
    "-fPIC",
    "-fno-plt",
    "-fcf-protection=none",
    "-fno-stack-protector",
    "-fno-ipa-ra",
    "-fno-asynchronous-unwind-tables",
    "-fno-exceptions",
    "-mno-avx512f",
];

/// Compiles, instruments and assembles every program into a folder; returns how many there are.
pub(crate) fn build(folder: &Path) -> usize {
    let work = tempfile::tempdir().expect("a temporary folder");
    let [source, assembly, instrumented] =
        ["a.c", "a.s", "a.misfit"].map(|name| work.path().join(name));
    let mut count = 0;
    for program in PROGRAMS {
        std::fs::write(&source, program).expect("a file");
        for flags in VARIANTS {
            run(Command::new("gcc")
                .args(FLAGS)
                .args(flags)
                .arg(&source)
                .arg("-o")
                .arg(&assembly));
            let text = std::fs::read_to_string(&assembly).expect("gcc wrote it");
            let text =
                misfit::instrument(&text, &Options::ALL).expect("misfit takes what gcc makes");
            std::fs::write(&instrumented, text).expect("a file");
            let object = folder.join(format!("{count}.o"));
            run(Command::new("as").arg(&instrumented).arg("-o").arg(&object));
            count += 1;
        }
    }
    count
}

fn run(command: &mut Command) {
    let status = command.status().expect("gcc and as are installed");
    assert!(status.success(), "{command:?}");
}
