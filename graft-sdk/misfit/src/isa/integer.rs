//! General-purpose instructions.

use super::{Access, Effect, Flags, Kind, Table};
use crate::register::{RCX, RDX, RegisterSet};

const RAX: u8 = 0;
const RBX: u8 = 3;

/// The condition codes of `jcc`, `setcc` and `cmovcc`.
const CONDITIONS: &str = "o no b c nae ae nb nc e z ne nz be na a nbe s ns p pe np po l nge ge nl \
                          le ng g nle";

/// Where a size suffix may follow.
const SIZES: [&str; 5] = ["", "b", "w", "l", "q"];

/// Splits a mnemonic that tests a condition into the operation and the condition: `cmov`, `ge`.
pub(crate) fn split_condition(mnemonic: &str) -> Option<(&'static str, &str)> {
    let operations = ["cmov", "set", "j"];
    let operation = operations
        .into_iter()
        .find(|name| mnemonic.starts_with(name))?;
    let rest = &mnemonic[operation.len()..];
    let is_condition = |name: &str| CONDITIONS.split_ascii_whitespace().any(|c| c == name);
    if is_condition(rest) {
        return Some((operation, rest));
    }
    let unsized_rest = rest.strip_suffix(['w', 'l', 'q'])?;
    is_condition(unsized_rest).then_some((operation, unsized_rest))
}

pub(super) fn fill(table: &mut Table) {
    arithmetic(table);
    moves(table);
    conditions(table);
    bits(table);
    control(table);
}

fn sized(table: &mut Table, names: &str, effect: Effect) {
    for name in names.split_ascii_whitespace() {
        for size in SIZES {
            table.insert(format!("{name}{size}"), effect);
        }
    }
}

fn exact(table: &mut Table, names: &str, effect: Effect) {
    for name in names.split_ascii_whitespace() {
        table.insert(name.to_owned(), effect);
    }
}

fn arithmetic(table: &mut Table) {
    let change = Effect::plain(Access::ReadWrite, Flags::Change);
    let set = Effect::plain(Access::ReadWrite, Flags::Set);
    sized(
        table,
        "add sub and or xor neg shl sal shr sar shld shrd",
        set,
    );
    sized(table, "adc sbb", set.reading_flags(RegisterSet::CARRY));
    let count = Effect::plain(Access::ReadWrite, Flags::SetStatus);
    sized(table, "inc dec", count);
    sized(table, "rol ror", change);
    sized(
        table,
        "rcl rcr adcx",
        change.reading_flags(RegisterSet::CARRY),
    );
    sized(table, "adox", change.reading_flags(RegisterSet::STATUS));
    sized(
        table,
        "not bswap",
        Effect::plain(Access::ReadWrite, Flags::Keep),
    );
    sized(table, "cmp test", Effect::plain(Access::Read, Flags::Set));
    let wide = RegisterSet::of(&[RAX, RDX]);
    let divide = Effect::plain(Access::Read, Flags::Set).using(wide);
    sized(table, "mul div idiv imul", divide);
    let extend = Effect::plain(Access::Read, Flags::Keep).using(RegisterSet::of(&[RAX]));
    exact(table, "cbtw cbw cwtl cwde cltq cdqe", extend);
    exact(
        table,
        "cwtd cwd cltd cdq cqto cqo",
        extend.defining(RegisterSet::of(&[RDX])),
    );
    sized(table, "xchg", Effect::plain(Access::Exchange, Flags::Keep));
    sized(table, "xadd", Effect::plain(Access::Exchange, Flags::Set));
    sized(table, "cmpxchg", set.using(RegisterSet::of(&[RAX])));
    let pair = RegisterSet::of(&[RAX, RBX, RCX, RDX]);
    exact(table, "cmpxchg8b cmpxchg16b", change.using(pair));
}

fn moves(table: &mut Table) {
    let write = Effect::plain(Access::Write, Flags::Keep);
    sized(table, "mov movbe", write);
    exact(table, "movabs movabsq movnti movntil movntiq", write);
    exact(
        table,
        "movzbw movzbl movzbq movzwl movzwq movzb movzw movzx",
        write,
    );
    exact(
        table,
        "movsbw movsbl movsbq movswl movswq movslq movsx movsxd",
        write,
    );
    sized(
        table,
        "lea",
        Effect::new(Kind::Address, Access::Write, Flags::Keep),
    );
    exact(
        table,
        "push pushq",
        Effect::new(Kind::Push, Access::Read, Flags::Keep),
    );
    exact(
        table,
        "pop popq",
        Effect::new(Kind::Pop, Access::Write, Flags::Keep),
    );
}

fn conditions(table: &mut Table) {
    for condition in CONDITIONS.split_ascii_whitespace() {
        let flags = flags_of(condition);
        let branch = Effect::new(Kind::Branch, Access::Read, Flags::Keep).reading_flags(flags);
        let set = Effect::plain(Access::Write, Flags::Keep).reading_flags(flags);
        let moved = Effect::plain(Access::ReadWrite, Flags::Keep).reading_flags(flags);
        table.insert(format!("j{condition}"), branch);
        table.insert(format!("set{condition}"), set);
        for size in ["", "w", "l", "q"] {
            table.insert(format!("cmov{condition}{size}"), moved);
        }
    }
}

/// The flags that a condition depends on.
fn flags_of(condition: &str) -> RegisterSet {
    match condition {
        "b" | "c" | "nae" | "ae" | "nb" | "nc" => RegisterSet::CARRY,
        "be" | "na" | "a" | "nbe" => RegisterSet::FLAGS,
        _ => RegisterSet::STATUS,
    }
}

fn bits(table: &mut Table) {
    let change = Effect::plain(Access::ReadWrite, Flags::SetCarry);
    let write = Effect::plain(Access::Write, Flags::Keep);
    let set = Effect::plain(Access::Write, Flags::Set);
    sized(table, "bt", Effect::plain(Access::Read, Flags::SetCarry));
    sized(table, "bts btr btc", change);
    // The result of a zero source is undefined; no compiler counts on the old value. The flags
    // other than the zero flag are undefined.
    sized(
        table,
        "bsf bsr popcnt lzcnt tzcnt andn bextr blsi blsr blsmsk bzhi",
        set,
    );
    sized(table, "pdep pext rorx sarx shlx shrx", write);
    let long = Effect::plain(Access::WriteTwo, Flags::Keep).using(RegisterSet::of(&[RDX]));
    sized(table, "mulx", long);
    sized(
        table,
        "crc32",
        Effect::plain(Access::ReadWrite, Flags::Keep),
    );
}

fn control(table: &mut Table) {
    let kind = |kind| Effect::new(kind, Access::Read, Flags::Keep);
    exact(table, "jmp jmpq", kind(Kind::Jump));
    exact(table, "call callq", kind(Kind::Call));
    exact(table, "ret retq", kind(Kind::Return));
    exact(table, "leave leaveq", kind(Kind::Leave));
    exact(table, "nop nopw nopl endbr64 pause", kind(Kind::Nop));
    exact(table, "lfence mfence sfence", kind(Kind::Nop));
    exact(
        table,
        "prefetcht0 prefetcht1 prefetcht2 prefetchnta prefetchw",
        kind(Kind::Prefetch),
    );
    exact(table, "ud2 int3", kind(Kind::Trap));
    exact(table, "cld", kind(Kind::ClearDirection));
    let all = RegisterSet::of(&[RAX, RBX, RCX, RDX]);
    exact(table, "cpuid", kind(Kind::Identify).defining(all));
    let low = RegisterSet::of(&[RAX, RDX]);
    exact(table, "xgetbv", kind(Kind::Identify).defining(low));
}

#[cfg(test)]
mod tests {
    use super::split_condition;

    #[test]
    fn conditions_are_told_from_sizes() {
        assert_eq!(split_condition("jnge"), Some(("j", "nge")));
        assert_eq!(split_condition("setl"), Some(("set", "l")));
        assert_eq!(split_condition("cmovl"), Some(("cmov", "l")));
        assert_eq!(split_condition("cmovnel"), Some(("cmov", "ne")));
        assert_eq!(split_condition("cmovbq"), Some(("cmov", "b")));
        assert_eq!(split_condition("sbbl"), None);
        assert_eq!(split_condition("jmp"), None);
    }
}
