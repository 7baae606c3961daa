//! Functions and host functions with types.

use vino_sandbox::{
    ABORT_BAD_POINTER, Caller, DecodedImage, DefineError, FaultKind, Function, HostAbort,
    HostFunctions, Instance, InstanceConfig, Limits, NoHost, Policy, SandboxAddr, VerifiedImage,
};

use crate::fixture::{ENGINE, assemble, config, load};

type Notes = Vec<String>;

fn load_for<T>(source: &str, functions: &HostFunctions<T>, config: InstanceConfig) -> Instance {
    let image = DecodedImage::decode(&assemble(source), &Limits::default()).expect("an object");
    let linked = image.link(&mut |name| functions.resolve(name));
    let linked = linked.expect("every import is defined");
    let image = VerifiedImage::verify(&ENGINE, linked, &Policy::default()).expect("verifies");
    Instance::new(&image, config).expect("loads")
}

#[test]
fn up_to_six_arguments_of_any_width_arrive() {
    let mut instance = load(
        "FUNCTION zero\n movl $-3, %eax\n RETURN
         FUNCTION six
         leaq (%rdi,%rsi), %rax\n addq %rdx, %rax\n addq %rcx, %rax
         addq %r8, %rax\n addq %r9, %rax\n RETURN",
    );
    let zero: Function<(), i32> = instance.function("zero").expect("defined");
    assert_eq!(
        zero.call(&mut instance, (), &mut NoHost).expect("returns"),
        -3
    );
    let six = instance.function::<(u8, i16, u32, i64, u64, bool), i64>("six");
    let args = (1, -2, 4, -8, 16, true);
    let sum = six.expect("defined").call(&mut instance, args, &mut NoHost);
    assert_eq!(sum.expect("returns"), 12);
}

#[test]
fn a_missing_function_names_the_nearest() {
    let instance = load("FUNCTION filter\n RETURN\nFUNCTION other\n RETURN");
    let error = instance.function::<(), ()>("fliter").expect_err("misspelt");
    assert_eq!(
        error.to_string(),
        "the image defines no function fliter; the nearest is filter"
    );
}

#[test]
fn a_closure_gets_arguments_state_and_memory() {
    let mut functions = HostFunctions::<Notes>::new();
    let note = |caller: &mut Caller<'_, '_, Notes>, at: SandboxAddr, len: u32| {
        let text = caller.read_bytes(at, len.min(16))?;
        caller
            .state
            .push(String::from_utf8_lossy(&text).into_owned());
        caller.write_bytes(at, b"seen")?;
        Ok(-1_i32)
    };
    functions.define("note", note).expect("free");
    let source = "
        .local text
        .comm text, 8, 8
FUNCTION main
        movl $0x6f6c6c65, text(%rip)
        leaq text(%rip), %rdi
        movl $4, %esi
        subq $8, %rsp
        DIRECT_CALL note
        addq $8, %rsp
        movl text(%rip), %ecx
        shlq $32, %rcx
        movl %eax, %eax
        orq %rcx, %rax
        RETURN
FUNCTION wild
        xorl %edi, %edi
        movl $4, %esi
        subq $8, %rsp
        DIRECT_CALL note
        ud2";
    let mut instance = load_for(source, &functions, config());
    let mut notes = Notes::new();
    let main = instance.function::<(), u64>("main").expect("defined");
    let value = main.call(&mut instance, (), &mut functions.host(&mut notes));
    let seen = u64::from(u32::from_le_bytes(*b"seen")) << 32 | u64::from(u32::MAX);
    assert_eq!(value.expect("returns"), seen);
    assert_eq!(notes, ["ello"]);
    let wild = instance.function::<(), ()>("wild").expect("defined");
    let fault = wild.call(&mut instance, (), &mut functions.host(&mut notes));
    let HostAbort(code) = ABORT_BAD_POINTER;
    assert_eq!(fault.expect_err("aborted").kind, FaultKind::Aborted(code));
}

/// The graft asks, the host calls it back with one less, until the innermost aborts or answers.
#[test]
fn an_abort_in_a_callback_in_a_callback_ends_only_what_it_is_in() {
    type State = (Option<Function<(u64,), u64>>, u64);
    let mut functions = HostFunctions::<State>::new();
    let ask = |caller: &mut Caller<'_, '_, State>, n: u64| {
        let (Some(main), floor) = *caller.state else {
            return Err(HostAbort(0));
        };
        if n == floor {
            return Err(HostAbort(77));
        }
        // Every level but the outermost passes the abort on.
        match caller.call_back(main, (n - 1,)) {
            Ok(value) => Ok(value + 1),
            Err(fault) if n == 3 && fault.kind == FaultKind::Aborted(77) => Ok(1000),
            Err(_) => Err(HostAbort(77)),
        }
    };
    functions.define("ask", ask).expect("free");
    let source = "FUNCTION main
        subq $8, %rsp
        DIRECT_CALL ask
        addq $8, %rsp
        RETURN";
    let mut instance = load_for(source, &functions, config());
    let main = instance.function::<(u64,), u64>("main").expect("defined");
    let mut state = (Some(main), 0);
    let value = main.call(&mut instance, (4,), &mut functions.host(&mut state));
    assert_eq!(value.expect("the second level answers"), 1001);
    let fault = main.call(&mut instance, (2,), &mut functions.host(&mut state));
    assert_eq!(fault.expect_err("aborted").kind, FaultKind::Aborted(77));
}

#[test]
fn the_ready_made_heap_grows_to_the_limit_and_then_gives_null() {
    let mut functions = HostFunctions::<()>::new();
    functions.define_heap().expect("free");
    let source = "FUNCTION main
        subq $8, %rsp
        DIRECT_CALL vino_heap_grow
        testl %eax, %eax
        je 1f
        movl $7, %gs:(%eax)
1:      addq $8, %rsp
        RETURN";
    let limit = InstanceConfig {
        heap_bytes_max: 8192,
        ..config()
    };
    let mut instance = load_for(source, &functions, limit);
    let main = instance.function::<(u64,), u64>("main").expect("defined");
    let grow = |instance: &mut Instance, bytes| {
        let value = main.call(instance, (bytes,), &mut functions.host(&mut ()));
        value.expect("returns")
    };
    let first = grow(&mut instance, 1);
    assert_eq!(first, instance.base() + u64::from(instance.heap().start));
    assert_eq!(grow(&mut instance, 4096), first + 4096);
    assert_eq!(grow(&mut instance, 1), 0);
    assert_eq!(grow(&mut instance, u64::MAX), 0);
}

#[test]
fn a_name_is_defined_once() {
    let mut functions = HostFunctions::<()>::new();
    let nothing = |_: &mut Caller<'_, '_, ()>| Ok(());
    functions.define("f", nothing).expect("free");
    let name = "f".to_owned();
    assert_eq!(
        functions.define("f", nothing),
        Err(DefineError::Duplicate { name })
    );
    assert_eq!(functions.resolve("g"), None);
}

#[test]
fn threads_share_a_set_of_functions_with_states_of_their_own() {
    let mut functions = HostFunctions::<u64>::new();
    let add = |caller: &mut Caller<'_, '_, u64>, n: u64| {
        *caller.state += n;
        Ok(*caller.state)
    };
    functions.define("add", add).expect("free");
    let source = "FUNCTION main
        subq $8, %rsp
        DIRECT_CALL add
        addq $8, %rsp
        RETURN";
    std::thread::scope(|scope| {
        for start in 0..4 {
            let functions = &functions;
            scope.spawn(move || {
                let mut instance = load_for(source, functions, config());
                let main = instance.function::<(u64,), u64>("main").expect("defined");
                let mut state = start;
                let value = main.call(&mut instance, (7,), &mut functions.host(&mut state));
                assert_eq!((value.expect("returns"), state), (start + 7, start + 7));
            });
        }
    });
}
